import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeFault, FakeEvents, fakeStore } from './control-fakes.ts';

const uncovered = (node: string) => ({ node, from: '2026-01-01T00:00:00.000Z', until: null, ms: null, verdict: null });

test('changes at once are made one after the other, each on what the one before left', async () => {
  const store = fakeStore(new FakeEvents());
  await store.save(activeFault({}));
  const nodes = ['a', 'b', 'c', 'd'];
  const changed = await Promise.all(nodes.map((node) => store.patch('flt_1', (record) => record.fault.uncovered.push(uncovered(node)))));
  assert.deepEqual(changed, [true, true, true, true]);
  assert.deepEqual(
    store.get('flt_1')?.fault.uncovered.map((u) => u.node),
    nodes,
  );
});

test('a change that finds nothing to do is not written, nor one of a fault that ended just before', async () => {
  const store = fakeStore(new FakeEvents());
  await store.save(activeFault({}));
  assert.equal(await store.patch('flt_1', () => false), false);
  const ended = store.save(activeFault({ state: 'healed' }));
  const late = store.patch('flt_1', (record) => record.fault.uncovered.push(uncovered('a')));
  assert.deepEqual([await late, await ended], [false, undefined]);
  assert.deepEqual([store.get('flt_1')?.fault.state, store.get('flt_1')?.fault.uncovered], ['healed', []]);
});

test('what a caller does to its record while it is being written is not what is written', async () => {
  const store = fakeStore(new FakeEvents());
  const record = activeFault({});
  const saved = store.save(record);
  record.fault.mechanism = 'changed since';
  await saved;
  assert.equal(store.get('flt_1')?.fault.mechanism, 'nfqueue');
});

test('who sets fields leaves what others wrote, and gets the record as it is then', async () => {
  const events = new FakeEvents();
  const store = fakeStore(events);
  await store.save(activeFault({}));
  const noted = store.patch('flt_1', (record) => record.fault.uncovered.push(uncovered('a')));
  const ended = store.set('flt_1', { fault: { state: 'healed', ended_by: 'api' }, fence: 7 });
  const record = await ended;
  assert.equal(await noted, true);
  assert.deepEqual([record.fault.state, record.fault.ended_by, record.fault.uncovered.length, record.fence], ['healed', 'api', 1, 7]);
  assert.deepEqual(store.get('flt_1'), record);
  await assert.rejects(store.set('flt_2', { fence: 1 }), /There is no fault flt_2/);
});

test('no two hand-overs to the watchdog have the same number, and a fault that is not active gets none', async () => {
  const store = fakeStore(new FakeEvents());
  await store.save(activeFault({}));
  const taken = await Promise.all([store.nextFence('flt_1'), store.nextFence('flt_1', 7), store.nextFence('flt_1')]);
  assert.deepEqual(
    taken.map((record) => record?.fence),
    [2, 8, 9],
  );
  await store.set('flt_1', { fault: { state: 'healing' } });
  assert.equal(await store.nextFence('flt_1'), null);
  assert.equal(store.get('flt_1')?.fence, 9);
});
