import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Capture } from '../../src/captures/capture.ts';
import { CaptureStore } from '../../src/captures/store.ts';
import { newId } from '../../src/lib/id.ts';
import { Problem } from '../../src/lib/problem.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'subjectd-captures-'));
});
after(() => rmSync(dir, { recursive: true }));

const folder = () => join(dir, newId('cap'));
let made = 0;
/** Ids of one millisecond are in no order. */
const capture = (subject: string, state: Record<string, unknown> = {}) =>
  ({ id: `cap_${String(made++).padStart(26, '0')}`, subject, kind: 'etcd', state }) as Capture;

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
    const many = await CaptureStore.open(folder(), { captures: 2, bytes: 1e6 });
    const taken = [capture('a'), capture('b'), capture('a')];
    for (const one of taken) await many.put(one);
    assert.deepEqual([many.of('a'), many.of('b')], [[taken[2]?.id], [taken[1]?.id]]);

    const path = folder();
    const much = await CaptureStore.open(path, { captures: 100, bytes: 3000 });
    const large = [1, 2, 3].map(() => capture('a', { text: 'x'.repeat(1200) }));
    for (const one of large) await much.put(one);
    assert.deepEqual(much.of('a'), [large[2]?.id, large[1]?.id]);
    assert.equal(readdirSync(path).length, 2);
    const huge = capture('a', { text: 'x'.repeat(5000) });
    await much.put(huge);
    assert.deepEqual(much.of('a'), [huge.id], 'what was just kept stays');
  });

  test('what a crash left half written is removed, and other files are left alone', async () => {
    const path = folder();
    const one = capture('a');
    await (await CaptureStore.open(path)).put(one);
    writeFileSync(join(path, `${one.id}.a.json.3141592653`), '{"id":');
    writeFileSync(join(path, 'notes.txt'), '');
    assert.deepEqual((await CaptureStore.open(path)).of('a'), [one.id]);
    assert.deepEqual(readdirSync(path).sort(), [`${one.id}.a.json`, 'notes.txt']);
  });

  test('one that was removed by hand is none', async () => {
    const path = folder();
    const store = await CaptureStore.open(path);
    const one = capture('a');
    await store.put(one);
    rmSync(join(path, `${one.id}.a.json`));
    assert.equal(await store.get(one.id), null);
  });

  test('one that cannot be written is not kept, and the error says so', async () => {
    const path = folder();
    const store = await CaptureStore.open(path);
    rmSync(path, { recursive: true });
    writeFileSync(path, '');
    chmodSync(path, 0o600);
    await assert.rejects(store.put(capture('a')), (error) => error instanceof Problem && error.code === 'storage_unavailable');
    assert.deepEqual(store.of('a'), []);
  });
});
