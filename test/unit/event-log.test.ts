import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { EventLog } from '../../src/events/log.ts';
import { streamEvents } from '../../src/http/event-stream.ts';
import { systemClock } from '../../src/lib/clock.ts';

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'subjectd-events-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'events.ndjson');
}

function open(t: TestContext, path: string): EventLog {
  const log = EventLog.open(path, systemClock);
  let closed = false;
  const close = log.close.bind(log);
  log.close = () => {
    if (!closed) close();
    closed = true;
  };
  t.after(() => log.close());
  return log;
}

/** Runs it while no file of this process may grow beyond so many bytes. As on a full disk, a write takes what fits, and the next one fails. */
function withFileLimit(bytes: number, work: () => void): void {
  const prlimit = (...args: string[]) =>
    execFileSync('/usr/bin/prlimit', ['--pid', String(process.pid), ...args], { encoding: 'utf8' }).trim();
  const before = prlimit('--fsize', '--output=SOFT', '--noheadings');
  prlimit(`--fsize=${bytes}:`);
  try {
    work();
  } finally {
    prlimit(`--fsize=${before}:`);
  }
}

const linux = { skip: process.platform === 'linux' ? false : 'needs a limit on its own files' };

const ids = (log: EventLog, after = 0) => log.after(after, 1000).map((e) => e.id);
const brief = (log: EventLog, after = 0) => log.after(after, 1000).map((e) => `${e.id} ${e.type}`);

/** What a client that comes back with this id is sent at once. */
async function sent(log: EventLog, after: number, subject?: string): Promise<string[]> {
  const source = {
    after: (from: number, limit: number, of?: string) => log.after(from, limit, (e) => of === undefined || e.subject === of),
    first: log.first,
    last: log.last,
    subscribe: log.subscribe.bind(log),
  };
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, next) {
      text += String(chunk);
      next();
    },
  });
  const stop = new AbortController();
  const streaming = streamEvents(out, source, { after, ...(subject === undefined ? {} : { subject }) }, stop.signal);
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  assert.equal(await streaming, 'closed');
  return [...text.matchAll(/^id: (\d+)\nevent: (.*)$/gm)].map(([, id, type]) => `${id} ${type}`);
}

describe('the event log', () => {
  test('goes on after an orderly restart with no number left out', (t) => {
    const path = place(t);
    for (const expected of [
      [1, 2],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5, 6],
    ]) {
      const log = open(t, path);
      log.emit('x', null);
      log.emit('x', 'etcd');
      assert.deepEqual(ids(log), expected);
      log.close();
    }
  });

  test('gives no number twice when the process dies, and tells the gap', async (t) => {
    const path = place(t);
    const dead = open(t, path);
    for (let n = 0; n < 3; n++) dead.emit('x', 'etcd');
    // What a power cut may do to lines without a sync.
    writeFileSync(path, `${readFileSync(path, 'utf8').split('\n', 1)}\n`);
    const log = open(t, path);
    const next = log.emit('y', 'etcd');
    assert.ok(next.id > 3);
    const gap = `${next.id - 1} events.gap`;
    assert.deepEqual(brief(log), ['1 x', gap, `${next.id} y`]);
    assert.deepEqual(log.after(1, 1)[0]?.data, { asked: 1, first: next.id, last: next.id - 1 });
    for (const asked of [1, 2, 3]) assert.deepEqual(await sent(log, asked), [gap, `${next.id} y`], `behind ${asked}`);
    assert.deepEqual(await sent(log, 3, 'etcd'), [gap, `${next.id} y`]);
    assert.deepEqual(await sent(log, next.id), []);
  });

  test('does not reuse the numbers of events that could not be written, even after an orderly end', linux, async (t) => {
    const path = place(t);
    const log = open(t, path);
    const errors: unknown[] = [];
    log.onWriteError = (error) => errors.push(error);
    const delivered: number[] = [];
    log.subscribe((event) => delivered.push(event.id));
    log.emit('kept', null);
    withFileLimit(statSync(path).size, () => {
      for (let n = 0; n < 4; n++) log.emit('lost', null);
    });
    assert.deepEqual([delivered, errors.length], [[1, 2, 3, 4, 5], 4]);
    log.close();
    const again = open(t, path);
    assert.deepEqual(await sent(again, 3), ['5 events.gap']);
    assert.equal(again.emit('new', null).id, 6);
    assert.deepEqual(await sent(again, 5), ['6 new']);
    assert.deepEqual(await sent(again, 3), ['5 events.gap', '6 new']);
    again.close();
    assert.deepEqual(brief(open(t, path)), ['1 kept', '5 events.gap', '6 new']);
  });

  test('keeps its numbers apart when many more events are lost than are reserved at a time', linux, (t) => {
    const path = place(t);
    const log = open(t, path);
    log.emit('kept', null);
    withFileLimit(statSync(path).size, () => {
      for (let n = 0; n < 5000; n++) log.emit('lost', null);
    });
    // Not closed: the process is killed.
    assert.ok(open(t, path).emit('new', null).id > log.last);
  });

  test('loses only the line that a write tore', linux, (t) => {
    const path = place(t);
    const log = open(t, path);
    log.emit('kept', null);
    withFileLimit(statSync(path).size + 30, () => {
      log.emit('torn', null, { text: 'x'.repeat(100) });
      log.emit('lost', null);
    });
    assert.equal(readFileSync(path).at(-1) === 0x0a, false, 'half a line is in the file');
    log.emit('behind', null);
    log.emit('last', null);
    log.close();
    const again = open(t, path);
    assert.deepEqual(brief(again), ['1 kept', '3 events.gap', '4 behind', '5 last']);
    assert.equal(again.emit('next', null).id, 6);
  });

  test('cuts off a torn tail, and skips what is no event', (t) => {
    const path = place(t);
    open(t, path).close();
    writeFileSync(path, '{"id":1,"type":"a"}\n{"id":2,"ty\n\nnull\n7\n{"id":3,"type":"b"}\n{"id":4,');
    const log = open(t, path);
    assert.deepEqual(brief(log), ['1 a', '2 events.gap', '3 b']);
    assert.equal(log.emit('c', null).id, 4);
    assert.match(readFileSync(path, 'utf8'), /"b"}\n\{"id":4,"at"/);
  });

  test('goes on behind the file when there is no mark, and well behind it when the mark is no number', (t) => {
    const path = place(t);
    appendFileSync(path, '{"id":41,"type":"old"}\n');
    const log = open(t, path);
    assert.equal(log.emit('x', null).id, 42);
    log.close();
    writeFileSync(`${path}.mark`, 'rubbish');
    assert.ok(open(t, path).emit('x', null).id > 500);
  });

  test('stays in its file when it becomes shorter, gaps or not', (t) => {
    const path = place(t);
    appendFileSync(path, '{"id":1,"type":"old"}\n{"id":5,"type":"old"}\n');
    const log = open(t, path);
    const errors: unknown[] = [];
    log.onWriteError = (error) => errors.push(error);
    for (let n = 0; n < 20_005; n++) log.emit('x', null);
    log.close();
    assert.deepEqual(errors, []);
    assert.ok(readFileSync(path, 'utf8').split('\n').length < 10_100);
    const again = open(t, path);
    assert.equal(again.last, 20_010);
    assert.deepEqual(ids(again, 20_008), [20_009, 20_010]);
  });

  test('writes nothing once it is closed', (t) => {
    const path = place(t);
    const log = open(t, path);
    log.emit('x', null);
    log.close();
    const errors: unknown[] = [];
    log.onWriteError = (error) => errors.push(error);
    // Gets the descriptor's number.
    const other = join(path, '../other');
    const fds = [1, 2, 3].map(() => openSync(other, 'a'));
    log.emit('late', null);
    for (const fd of fds) closeSync(fd);
    assert.ok(errors.length > 0);
    assert.deepEqual([brief(open(t, path)), readFileSync(other, 'utf8')], [['1 x'], '']);
  });
});
