import assert from 'node:assert/strict';
import fs, { access, appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { Journal } from '../../src/ledger/journal.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { lockDataDir } from '../../src/ledger/lock.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ndjsonLine, readNdjson } from '../../src/lib/ndjson.ts';

/** Lets each `open` below the folder fail as it does without descriptors, from the next rename there on and until the answer is called. */
function noDescriptorsAfterRename(folder: string): () => void {
  const { open, rename } = fs;
  let renamed = false;
  fs.rename = async (from, to) => {
    await rename(from, to);
    if (String(to).startsWith(folder)) renamed = true;
  };
  fs.open = async (path, ...rest) => {
    if (renamed && String(path).startsWith(folder)) throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    return open(path, ...rest);
  };
  syncBuiltinESMExports();
  return () => {
    Object.assign(fs, { open, rename });
    syncBuiltinESMExports();
  };
}

const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => ({ n: from + n }));

async function recordsOf(path: string): Promise<unknown[]> {
  const { journal, records } = await Journal.open(path);
  await journal.close();
  return records;
}

describe('the ledger’s file', () => {
  let dir = '';
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'subjectd-journal-'));
  });
  after(() => rm(dir, { recursive: true }));

  test('a file cut anywhere gives exactly the records whose lines are whole', () => {
    const records = fc.array(
      fc.jsonValue().filter((v) => v !== null),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(records, fc.nat(), (values, cut) => {
        const lines = values.map((v) => ndjsonLine(v));
        const bytes = Buffer.concat(lines);
        const kept = bytes.subarray(0, bytes.length === 0 ? 0 : cut % (bytes.length + 1));
        const whole: Buffer[] = [];
        let size = 0;
        for (const line of lines) {
          if (size + line.length > kept.length) break;
          size += line.length;
          whole.push(line);
        }
        const read = readNdjson(kept);
        assert.equal(read.goodBytes, size);
        assert.deepEqual(
          read.records,
          whole.map((l) => JSON.parse(l.toString())),
        );
        assert.deepEqual(read.damagedLines, []);
      }),
    );
  });

  test('a torn tail is cut off and the next append starts a line of its own', async () => {
    const path = join(dir, 'torn');
    await writeFile(path, '{"a":1}\n{"b":');
    const { journal, records, tornBytes } = await Journal.open(path);
    assert.deepEqual([records, tornBytes], [[{ a: 1 }], 5]);
    await journal.append({ c: 3 });
    await journal.close();
    assert.equal(await readFile(path, 'utf8'), '{"a":1}\n{"c":3}\n');
  });

  test('damage before the end is told, and the good records around it are kept', async () => {
    const path = join(dir, 'damaged');
    await writeFile(path, '{"a":1}\nrubbish\n{"b":2}\n');
    const { journal, records, damagedLines } = await Journal.open(path);
    await journal.close();
    assert.deepEqual([records, damagedLines], [[{ a: 1 }, { b: 2 }], [2]]);
  });

  test('records appended at once are all durable, in order', async () => {
    const path = join(dir, 'many');
    const { journal } = await Journal.open(path);
    await Promise.all(Array.from({ length: 200 }, (_, n) => journal.append({ n })));
    await journal.close();
    const reopened = await Journal.open(path);
    await reopened.journal.close();
    assert.deepEqual(
      reopened.records,
      Array.from({ length: 200 }, (_, n) => ({ n })),
    );
  });

  test('the last value of each key survives any interleaving of puts, forgets and compactions', async () => {
    let n = 0;
    const step = fc.record({ id: fc.constantFrom('a', 'b', 'c'), value: fc.option(fc.nat(9)) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const path = join(dir, `ledger-${n++}`);
        const ledger = await Ledger.open(path, systemClock);
        await Promise.all(steps.map((s) => ledger.put('fault', s.id, s.value)));
        await ledger.close();
        const expected = new Map<string, number>();
        for (const { id, value } of steps) {
          expected.delete(id);
          if (value !== null) expected.set(id, value);
        }
        const again = await Ledger.open(path, systemClock);
        await again.close();
        assert.deepEqual(
          again.all('fault'),
          [...expected].map(([id, value]) => ({ id, value })),
        );
      }),
      { numRuns: 30 },
    );
  });

  test('a compaction while others append loses nothing', async () => {
    const path = join(dir, 'compacted');
    const ledger = await Ledger.open(path, systemClock);
    const big = 'x'.repeat(40_000);
    for (let round = 0; round < 12; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, n) => ledger.put('operation', `op-${n}`, { round, n, big })));
    }
    await ledger.close();
    const again = await Ledger.open(path, systemClock);
    await again.close();
    assert.equal(again.all('operation').length, 20);
    assert.ok(again.all<{ round: number }>('operation').every((e) => e.value.round === 11));
    assert.ok((await readFile(path)).length < 12 * 20 * 40_000, 'the file was compacted');
  });

  test('after a compaction that could not open anything any more, no append is lost', async () => {
    const folder = await mkdtemp(join(dir, 'renamed-'));
    const path = join(folder, 'journal');
    const { journal } = await Journal.open(path);
    for (const record of numbered(1, 3)) await journal.append(record);
    const restore = noDescriptorsAfterRename(folder);
    try {
      await assert.rejects(
        journal.compact(() => numbered(2, 3)),
        { code: 'ledger_unavailable' },
      );
      // A power cut could bring back the old file without it.
      await assert.rejects(journal.append({ n: 'refused' }), { code: 'ledger_unavailable' });
    } finally {
      restore();
    }
    await journal.append({ n: 4 });
    assert.deepEqual(readNdjson(await readFile(path)).records, numbered(2, 4));
    await journal.compact(() => numbered(3, 4));
    await journal.append({ n: 5 });
    await journal.close();
    assert.deepEqual(await recordsOf(path), numbered(3, 5));
  });

  test('a ledger whose compaction may be undone by a power cut is not writable until it cannot', async () => {
    const folder = await mkdtemp(join(dir, 'unsynced-'));
    const path = join(folder, 'ledger');
    const ledger = await Ledger.open(path, systemClock);
    const told: unknown[] = [];
    ledger.onCompactionError = (error) => told.push(error);
    const restore = noDescriptorsAfterRename(folder);
    try {
      await ledger.put('fault', 'big', { text: 'x'.repeat(1 << 20) });
      assert.equal(told.length, 1);
      assert.equal(await ledger.probe(), false);
      assert.equal(ledger.writable, false);
      await assert.rejects(ledger.put('fault', 'refused', { n: 1 }), { code: 'ledger_unavailable' });
    } finally {
      restore();
    }
    assert.equal(await ledger.probe(), true);
    await ledger.put('fault', 'after', { n: 2 });
    await ledger.close();
    const again = await Ledger.open(path, systemClock);
    await again.close();
    assert.deepEqual(
      again.all('fault').map((e) => e.id),
      ['big', 'after'],
    );
  });

  test('a compaction that fails before its rename leaves the file as it was, and in use', async () => {
    const path = join(dir, 'in-the-way');
    const { journal } = await Journal.open(path);
    await journal.append({ n: 1 });
    await mkdir(`${path}.next`);
    await assert.rejects(
      journal.compact(() => []),
      { code: 'ledger_unavailable' },
    );
    await journal.append({ n: 2 });
    await rm(`${path}.next`, { recursive: true });
    // What a killed compaction leaves.
    await writeFile(`${path}.next`, 'x'.repeat(1000));
    await journal.append({ n: 3 });
    await journal.compact(() => numbered(1, 3));
    await journal.append({ n: 4 });
    await journal.close();
    assert.deepEqual(await recordsOf(path), numbered(1, 4));
  });

  test('a record that cannot be written is refused, is not visible, and leaves the file whole', {
    skip: process.getuid?.() === 0 ? false : 'needs root to mount a small disk',
  }, async () => {
    const { execFileSync } = await import('node:child_process');
    const mount = await mkdtemp(join(tmpdir(), 'subjectd-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]);
    try {
      const path = join(mount, 'ledger');
      const ledger = await Ledger.open(path, systemClock);
      await ledger.put('fault', 'small', { n: 1 });
      await assert.rejects(ledger.put('fault', 'big', { text: 'x'.repeat(200_000) }), { code: 'ledger_unavailable' });
      assert.equal(ledger.writable, false);
      assert.deepEqual(
        ledger.all('fault').map((e) => e.id),
        ['small'],
      );
      await ledger.put('fault', 'after', { n: 2 });
      assert.equal(ledger.writable, true);
      await ledger.close();
      const { journal } = await Journal.open(join(mount, 'other'));
      await assert.rejects(
        journal.compact(() => [{ text: 'x'.repeat(200_000) }]),
        { code: 'ledger_unavailable' },
      );
      // The half of a compaction takes no room from the next record.
      await assert.rejects(access(join(mount, 'other.next')), { code: 'ENOENT' });
      await journal.append({ n: 1 });
      await journal.close();
      const again = await Ledger.open(path, systemClock);
      assert.deepEqual(again.damage, { tornBytes: 0, damagedLines: [] });
      assert.deepEqual(
        again.all('fault').map((e) => e.id),
        ['small', 'after'],
      );
      await again.close();
    } finally {
      execFileSync('umount', [mount]);
      await rm(mount, { recursive: true });
    }
  });

  test('a data directory has one holder; a dead holder’s lock is no lock', async () => {
    const data = await mkdtemp(join(dir, 'data-'));
    const first = await lockDataDir(data);
    assert.notEqual(first, null);
    assert.equal(await lockDataDir(data), null);
    await first?.release();
    const second = await lockDataDir(data);
    assert.notEqual(second, null);
    await second?.release();
    // What a killed process leaves: a socket file that nobody listens on.
    const { spawnSync } = await import('node:child_process');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(join(data, 'lock'))}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    const third = await lockDataDir(data);
    assert.notEqual(third, null);
    await third?.release();
  });

  test('an empty or cut file is a new ledger', async () => {
    const path = join(dir, 'cut');
    await appendFile(path, '{"at":"x","kind":"fault","id":"a","value":1}\n');
    await truncate(path, 10);
    const ledger = await Ledger.open(path, systemClock);
    assert.deepEqual([ledger.all('fault'), ledger.damage.tornBytes], [[], 10]);
    await ledger.close();
  });
});
