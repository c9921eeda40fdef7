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

const soonMs = 20;

async function world(chaosType: string, state: string, over: Partial<FaultRecord> = {}) {
  const [clock, events, closing] = [new FakeClock(), new FakeEvents(), new AbortController()];
  const store = fakeStore(events);
  const containers: Record<string, ContainerDetail> = { 'id-a': container(state), 'id-b': container(state) };
  /** How many of the next looks at a container fail, and how many there were. */
  const broken: Record<string, number> = {};
  const looks: Record<string, number> = {};
  const inspectContainer = async (id: string) => {
    looks[id] = (looks[id] ?? 0) + 1;
    broken[id] = (broken[id] ?? 0) - 1;
    if (broken[id] >= 0) throw new Error('the engine is not ready');
    return containers[id] ?? null;
  };
  const failures: unknown[] = [];
  const log = { error: ({ error }: { error: Error }) => void failures.push(error.message), warn: () => {} };
  const context = { clock, events, store, engine: { inspectContainer }, log } as unknown as Context;
  const heals: string[] = [];
  const host = {
    subject: { name: 'p', kind: { adapter: {} }, project: { services: [] } },
    queued: async (kind: string) => void heals.push(kind),
  } as unknown as Host;
  const watch = new FaultWatch(context, { remainingMs: () => 60_000 }, closing.signal, soonMs);
  await store.save({ ...activeFault({ chaos_type: chaosType, targets: [target('a'), target('b')] }), ...over });
  const gaps = () => store.get('flt_1')?.fault.uncovered.map((u) => [u.node, u.from, u.ms]);
  return {
    ...{ clock, events, store, context, host, heals, gaps, watch, containers, broken, looks, failures, closing },
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
    clock.wall += 600;
    await turn('a', 'start', container('running', epoch + 500), () => gaps()?.length === 1);
    assert.deepEqual(gaps(), [['a', rfc3339(epoch + 500), null]]);
    assert.deepEqual(events.of('fault.uncovered'), [{ fault_id: 'flt_1', node: 'a' }]);
    clock.wall += 1900;
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

/** The start of a process by the clock of an engine's host that is an hour behind ours. */
const hourBefore = epoch - 3_600_000;
const startedAt = { a: hourBefore, b: hourBefore };

describe('a fault that ends with the process of its targets, which restarted', () => {
  const restarted = (finishedAt: number, start: number) => ({ ...container('running', start), finishedAt });
  const settled = async (w: Awaited<ReturnType<typeof world>>) => {
    const looked = async () => (w.looks['id-a'] && w.looks['id-b'] ? true : undefined);
    await until(looked, 2, AbortSignal.timeout(5000));
    await new Promise((resolve) => setTimeout(resolve, soonMs));
    w.closing.abort();
  };

  test('during its injection is put back, where no event would tell of it any more', async () => {
    const w = await world('memory_pressure', 'running', { startedAt: { a: 1, b: 1 } });
    w.clock.wall += 900;
    // Injected at `epoch`, which is when the act began: before the answer says so it died and was started.
    w.containers['id-b'] = restarted(epoch + 300, epoch + 400);
    w.watch.afterInjection(w.host, 'flt_1');
    await settled(w);
    assert.deepEqual([w.gaps(), w.heals], [[['b', rfc3339(epoch + 300), null]], ['reapply']]);
  });

  test('between the look by which it was chosen and the act: the start is before that of the fault', async () => {
    const w = await world('latency', 'running', { startedAt: { a: 1, b: 1 } });
    w.clock.wall += 900;
    w.containers['id-a'] = restarted(epoch - 200, epoch - 100);
    w.watch.afterInjection(w.host, 'flt_1');
    await settled(w);
    assert.deepEqual([w.gaps(), w.heals], [[['a', rfc3339(epoch + 900), null]], ['reapply']]);
  });

  test('is left alone when none did, be it frozen, and whatever the clocks of the two hosts say', async () => {
    for (const ours of [epoch, epoch + 3_600_000, epoch - 7_200_000]) {
      const w = await world('latency', 'running', { startedAt: { a: epoch + 60_000, b: hourBefore } });
      w.clock.wall = ours;
      Object.assign(w.containers, { 'id-a': container('running', epoch + 60_000), 'id-b': container('paused', hourBefore) });
      w.watch.afterInjection(w.host, 'flt_1');
      await settled(w);
      assert.deepEqual([w.gaps(), w.heals, w.failures], [[], [], []]);
    }
  });

  test('while the engine was away, whose clock is behind ours: it is put back once, and each gap is of our time', async () => {
    const w = await world('latency', 'running', { startedAt });
    Object.assign(w.containers, {
      'id-a': restarted(hourBefore + 1000, hourBefore + 1500),
      'id-b': restarted(hourBefore + 1000, hourBefore + 1500),
    });
    w.clock.wall += 2000;
    await w.watch.afterEngineReturn(w.host);
    w.closing.abort();
    const from = rfc3339(epoch + 2000);
    assert.deepEqual(
      [w.gaps(), w.heals],
      [
        [
          ['a', from, null],
          ['b', from, null],
        ],
        ['reapply'],
      ],
    );
  });

  test('before the other target was put back is not hidden by that, in a record of an older version too', async () => {
    const w = await world('latency', 'running');
    await w.store.patch('flt_1', ({ fault }) => {
      fault.uncovered.push({ node: 'a', from: rfc3339(epoch + 100), until: rfc3339(epoch + 800), ms: 700, verdict: 'confirmed' });
    });
    Object.assign(w.containers, { 'id-a': container('running', epoch + 200), 'id-b': restarted(epoch + 300, epoch + 400) });
    w.clock.wall += 2000;
    await w.watch.afterEngineReturn(w.host);
    w.closing.abort();
    assert.deepEqual([w.gaps()?.slice(1), w.heals], [[['b', rfc3339(epoch + 300), null]], ['reapply']]);
  });
});

describe('the look at all active faults when the engine is back', () => {
  const second = (life: string) => ({ id: 'flt_2', chaos_type: life, targets: [target('b')] });

  test('goes on when one fails, which is looked at once more', async () => {
    const w = await world('node_kill', 'running', { ...activeFault({ chaos_type: 'node_kill', targets: [target('a')] }) });
    await w.store.save(activeFault(second('node_kill')));
    w.broken['id-a'] = 1;
    const done = w.watch.afterEngineReturn(w.host);
    await until(async () => (w.heals.length > 0 ? true : undefined), 1, AbortSignal.timeout(5000));
    assert.deepEqual([w.heals, w.failures], [['heal'], ['the engine is not ready']]);
    await done;
    assert.deepEqual([w.heals, w.failures.length], [['heal', 'heal'], 1]);
  });

  test('leaves it at a second failure, and at a stop of the service', async () => {
    const w = await world('latency', 'running');
    w.broken['id-a'] = 1e9;
    await w.watch.afterEngineReturn(w.host);
    assert.deepEqual([w.looks['id-a'], w.failures.length], [2, 2]);
    const done = w.watch.afterEngineReturn(w.host);
    await until(async () => (w.failures.length === 3 ? true : undefined), 1, AbortSignal.timeout(5000));
    w.closing.abort();
    await done;
    assert.deepEqual([w.looks['id-a'], w.failures.length], [3, 3]);
  });

  test('as is an event: one fault that cannot be looked at keeps no other from it', async () => {
    const w = await world('node_kill', 'running', { ...activeFault({ chaos_type: 'node_kill', targets: [target('a')] }) });
    await w.store.save(activeFault({ ...second('node_kill'), targets: [target('a')] }));
    w.broken['id-a'] = 1;
    await w.turn('a', 'start', container('running', epoch), () => w.heals.length === 1);
    assert.equal(w.failures.length, 1);
  });
});

test('what is noted of two nodes at once is noted of both, and told once', async () => {
  const { context, host, events, gaps } = await world('latency', 'running');
  const record = context.store.get('flt_1') as FaultRecord;
  await Promise.all([...record.fault.targets, ...record.fault.targets].map((t) => uncover(context, host, 'flt_1', t.node, epoch)));
  assert.deepEqual([gaps()?.length, events.of('fault.uncovered').length], [2, 2]);
});
