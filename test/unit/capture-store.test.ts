import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Capture } from '../../src/captures/capture.ts';
import { CaptureStore } from '../../src/captures/store.ts';
import { writeDurably } from '../../src/lib/durable.ts';
import { Problem } from '../../src/lib/problem.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'subjectd-captures-'));
});
after(() => rmSync(dir, { recursive: true }));

let folders = 0;
const folder = () => join(dir, String(folders++));
let made = 0;
const capture = (subject: string, state: Record<string, unknown> = {}) =>
  ({ id: `cap_${String(made++).padStart(26, '0')}`, subject, kind: 'etcd', nodes: [], state }) as unknown as Capture;

describe('captures', () => {
  test('are kept, newest first, by subject, and over a restart', async () => {
    const path = folder();
    const store = await CaptureStore.open(path);
    const [a, b, other] = [capture('etcd', { keys: 1 }), capture('etcd'), capture('etcd-1')];
    for (const one of [a, b, other]) await store.put(one);
    for (const open of [store, await CaptureStore.open(path)]) {
      assert.deepEqual(open.of('etcd'), [b.id, a.id]);
      assert.deepEqual(open.of('etcd-1'), [other.id]);
      assert.deepEqual(open.of('tikv'), []);
      assert.deepEqual(await open.get(a.id), a);
      assert.equal(await open.get('cap_../../etc/passwd'), null);
    }
  });

  test('the oldest go when there are too many, or too much', async () => {
    const many = await CaptureStore.open(folder(), { captures: 2, bytes: 1e6, mostBytes: 1e6 });
    const taken = [capture('a'), capture('b'), capture('a')];
    const dropped: string[] = [];
    many.onDropped = (id) => dropped.push(id);
    for (const one of taken) await many.put(one);
    assert.deepEqual(dropped, [taken[0]?.id]);
    assert.deepEqual([many.of('a'), many.of('b')], [[taken[2]?.id], [taken[1]?.id]]);

    const path = folder();
    const much = await CaptureStore.open(path, { captures: 100, bytes: 3000, mostBytes: 2000 });
    const large = [1, 2, 3].map(() => capture('a', { text: 'x'.repeat(1200) }));
    for (const one of large) await much.put(one);
    assert.deepEqual(much.of('a'), [large[2]?.id, large[1]?.id]);
    assert.equal(readdirSync(path).length, 2);
    await assert.rejects(much.put(capture('a', { text: 'x'.repeat(5000) })), /are the most that is kept of one/);
    assert.equal(much.of('a').length, 2, 'one that is too large costs no other');
  });

  test('what a crash left half written is removed, and other files are left alone', async () => {
    const path = folder();
    const one = capture('a');
    await (await CaptureStore.open(path)).put(one);
    writeFileSync(join(path, `${one.id}.a.json.half`), '{"id":');
    symlinkSync('/nonexistent', join(path, `${capture('a').id}.a.json`));
    writeFileSync(join(path, 'notes.txt'), '');
    assert.deepEqual((await CaptureStore.open(path)).of('a'), [one.id]);
    assert.deepEqual(
      readdirSync(path)
        .filter((name) => !lstatSync(join(path, name)).isSymbolicLink())
        .sort(),
      [`${one.id}.a.json`, 'notes.txt'],
    );
  });

  test('one that was removed or damaged by hand is none, and is told', async () => {
    const path = folder();
    const store = await CaptureStore.open(path);
    const damage: string[] = [];
    store.onDamage = (file) => damage.push(file);
    const [removed, damaged, good] = [capture('a'), capture('a'), capture('a')];
    for (const one of [removed, damaged, good]) await store.put(one);
    rmSync(join(path, `${removed.id}.a.json`));
    writeFileSync(join(path, `${damaged.id}.a.json`), '{"id"');
    for (const { id } of [removed, damaged]) assert.deepEqual([await store.get(id), await store.summary(id)], [null, null]);
    assert.deepEqual(await store.get(good.id), good);
    assert.equal(damage.length, 4);
  });

  test('a summary is read without what it holds, however long either is', async () => {
    const store = await CaptureStore.open(folder());
    const one = { ...capture('a', { text: 'x'.repeat(100_000) }), label: 'é'.repeat(40_000) };
    await store.put(one);
    const { state: _state, nodes: _nodes, ...summary } = one;
    assert.deepEqual(await store.summary(one.id), summary);
  });

  test('ids rise, also when the clock goes back', async () => {
    const path = folder();
    const store = await CaptureStore.open(path);
    const later = 'cap_7ZZZZZZZZ00000000000000000';
    await store.put({ ...capture('a'), id: later });
    const again = await CaptureStore.open(path);
    const [next, nextAgain] = [again.newId(), again.newId()];
    assert.ok(later < next && next < nextAgain);
  });

  test('one that cannot be written is not kept, and the error says so', async () => {
    const path = folder();
    const store = await CaptureStore.open(path);
    rmSync(path, { recursive: true });
    writeFileSync(path, '');
    await assert.rejects(store.put(capture('a')), (error) => error instanceof Problem && error.code === 'storage_unavailable');
    assert.deepEqual(store.of('a'), []);
  });

  test('on a disk that is full nothing is kept by half', async (t) => {
    const path = folder();
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path]);
    t.after(() => execFileSync('umount', [path]));
    const store = await CaptureStore.open(path);
    const first = capture('a', { text: 'x'.repeat(100_000) });
    await store.put(first);
    await assert.rejects(store.put(capture('a', { text: 'x'.repeat(300_000) })), /ENOSPC/);
    assert.deepEqual([store.of('a'), readdirSync(path)], [[first.id], [`${first.id}.a.json`]]);
    assert.deepEqual(await store.get(first.id), first);
    const file = join(path, 'file');
    await writeDurably(file, 'before');
    await assert.rejects(writeDurably(file, 'x'.repeat(300_000)), /ENOSPC/);
    assert.ok(existsSync(file) && lstatSync(file).size === 6);
  });
});
