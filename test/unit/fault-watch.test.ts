import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Context } from '../../src/control/context.ts';
import { FaultWatch } from '../../src/control/fault_watch.ts';
import type { Host } from '../../src/control/host.ts';
import { uncover } from '../../src/control/uncover.ts';
import type { ContainerDetail, EngineEvent } from '../../src/engine/port.ts';
import type { FaultRecord } from '../../src/faults/fault.ts';
import { rfc3339 } from '../../src/lib/clock.ts';
import { until } from '../../src/lib/until.ts';
import { activeFault, container, epoch, FakeClock, FakeEvents, fakeStore, target } from './control-fakes.ts';

async function world(chaosType: string, state: string) {
  const [clock, events, closing] = [new FakeClock(), new FakeEvents(), new AbortController()];
  const store = fakeStore(events);
  const containers: Record<string, ContainerDetail> = { 'id-a': container(state), 'id-b': container(state) };
  const engine = { inspectContainer: async (id: string) => containers[id] ?? null };
  const context = { clock, events, store, engine, log: console } as unknown as Context;
  const heals: string[] = [];
  const host = {
    subject: { name: 'p', kind: { adapter: {} }, project: { services: [] } },
    queued: async (kind: string) => void heals.push(kind),
  } as unknown as Host;
  const watch = new FaultWatch(context, { remainingMs: () => 60_000 }, closing.signal);
  await store.save(activeFault({ chaos_type: chaosType, targets: [target('a'), target('b')] }));
  const gaps = () => store.get('flt_1')?.fault.uncovered.map((u) => [u.node, u.from, u.ms]);
  return {
    ...{ clock, events, store, context, host, heals, gaps },
    /** Somebody turns a node, and the engine tells it. */
    turn: async (name: string, action: string, now: ContainerDetail, done: () => boolean) => {
      containers[`id-${name}`] = now;
      watch.onContainer(host, { action, id: `id-${name}` } as EngineEvent);
      await until(async () => (done() ? true : undefined), 2, AbortSignal.timeout(5000));
    },
  };
}

describe('a fault that stops several nodes', () => {
  test('is not in force where one was started, is again when it goes down, and is over when all run', async () => {
    const { turn, gaps, events, clock, heals } = await world('node_kill', 'exited');
    await turn('a', 'start', container('running', epoch + 500), () => gaps()?.length === 1);
    assert.deepEqual(gaps(), [['a', rfc3339(epoch + 500), null]]);
    assert.deepEqual(events.of('fault.uncovered'), [{ fault_id: 'flt_1', node: 'a' }]);
    clock.wall += 2500;
    await turn('a', 'die', container('exited', epoch + 500), () => events.of('fault.covered').length === 1);
    assert.deepEqual(gaps(), [['a', rfc3339(epoch + 500), 2000]]);
    await turn('a', 'start', container('running', epoch + 3000), () => gaps()?.length === 2);
    assert.deepEqual(heals, []);
    await turn('b', 'start', container('running', epoch + 3500), () => heals.length === 1);
    assert.deepEqual([heals, gaps()?.length], [['heal'], 2]);
  });

  test('that was thawed, and frozen again: the times are those of the events, not of its start', async () => {
    const { turn, gaps, clock, events } = await world('node_pause', 'paused');
    clock.wall += 1000;
    await turn('b', 'unpause', container('running'), () => gaps()?.length === 1);
    clock.wall += 700;
    await turn('b', 'pause', container('paused'), () => events.of('fault.covered').length === 1);
    assert.deepEqual(gaps(), [['b', rfc3339(epoch + 1000), 700]]);
  });
});

test('what is noted of two nodes at once is noted of both, and told once', async () => {
  const { context, host, events, gaps } = await world('latency', 'running');
  const record = context.store.get('flt_1') as FaultRecord;
  await Promise.all([...record.fault.targets, ...record.fault.targets].map((t) => uncover(context, host, 'flt_1', t.node, epoch)));
  assert.deepEqual([gaps()?.length, events.of('fault.uncovered').length], [2, 2]);
});
