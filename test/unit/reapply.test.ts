import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Context } from '../../src/control/context.ts';
import type { Host } from '../../src/control/host.ts';
import type { Work } from '../../src/control/operations.ts';
import { Reapplying } from '../../src/control/reapply.ts';
import { uncover } from '../../src/control/uncover.ts';
import type { FaultRecord } from '../../src/faults/fault.ts';
import { chaosType } from '../../src/faults/registry.ts';
import type { Scene, SceneNode } from '../../src/faults/scene.ts';
import { until } from '../../src/lib/until.ts';
import { activeFault, epoch, FakeClock, FakeEvents, fakeStore, sceneNode, target } from './control-fakes.ts';

const soonMs = 10;
const params = { delay_ms: 50 };

/** A subject whose toolbox delays what it was told to. `broken`: how many acts fail; `weak`: how many have no effect. */
class World {
  clock = new FakeClock();
  events = new FakeEvents();
  store = fakeStore(this.events);
  closing = new AbortController();
  nodes: SceneNode[] = [sceneNode('a', '10.0.0.1'), sceneNode('b', '10.0.0.2'), sceneNode('c', '10.0.0.3')];
  broken = 0;
  weak = 0;
  calls: string[] = [];
  failed: unknown[] = [];
  #delayed = new Set<string>();
  context: Context;
  host: Host;
  reapplying: Reapplying;

  constructor() {
    const scene = () => ({ subject: 'p', nodes: this.nodes, toolbox, clock: this.clock }) as unknown as Scene;
    const toolbox = { call: async (op: string, args: never) => this.#call(op, args) };
    const watchdog = { arm: async () => true };
    const deaths = { of: () => null };
    const log = { warn: () => {}, error: () => {} };
    const { clock, events, store } = this;
    this.context = { clock, events, store, watchdog, deaths, toolbox, log } as unknown as Context;
    const queued = async (_kind: string, work: (w: Work) => Promise<unknown>, signal: AbortSignal) => {
      await work({ signal } as Work).catch((error: unknown) => this.failed.push(error));
    };
    this.host = { subject: { name: 'p', kind: { adapter: {} } }, queued } as unknown as Host;
    this.reapplying = new Reapplying(this.context, { remainingMs: () => 60_000 }, async () => scene(), this.closing.signal, soonMs);
  }

  #call(op: string, args: { step: { container_id: string }; pairs: { name: string; from: string }[] }): unknown {
    if (op !== 'measure.trains') this.calls.push(op);
    if (op === 'apply') {
      if (this.broken-- > 0) throw new Error('it could not be done');
      if (this.weak-- <= 0) this.#delayed.add(args.step.container_id);
      return { mechanism: 'nfqueue' };
    }
    if (op === 'undo') return { gone: this.#delayed.delete(args.step.container_id) };
    return {
      pairs: args.pairs.map(({ name, from }) => {
        const us = this.#delayed.has(from) ? 50_100 : 100;
        return {
          name,
          sent: 24,
          received: 24,
          refused: 0,
          delay_us: { min: us, p50: us, p95: us, max: us },
          delays_us: [],
          rate_kbit: null,
        };
      }),
    };
  }

  get starts(): unknown {
    return this.store.get('flt_1')?.startedAt;
  }

  async inject(over: Partial<FaultRecord['fault']> = {}, startedAt: Record<string, number> = {}): Promise<void> {
    const record = activeFault({ params, ...over });
    const scene = { nodes: this.nodes } as unknown as Scene;
    const { id, targets } = record.fault;
    const plan = await chaosType({}, 'latency').plan(scene, { fault: id, targets, params: record.fault.params }, this.closing.signal);
    for (const step of plan.act) this.#delayed.add(step.container_id);
    await this.store.save({ ...record, act: plan.act, undo: plan.undo, startedAt });
  }

  /** The engine's events of a restart. */
  async restart(name: string): Promise<void> {
    await this.die(name);
    await this.reapplying.started(this.host, 'flt_1', `id-${name}`);
  }

  async die(name: string): Promise<void> {
    this.#delayed.delete(`id-${name}`);
    if (this.fault.targets.some((t) => t.node === name)) await uncover(this.context, this.host, 'flt_1', name, this.clock.now());
    this.clock.wall += 1000;
  }

  turn(name: string, running: boolean, startedAt = 1): void {
    const i = this.nodes.findIndex((n) => n.name === name);
    this.nodes[i] = sceneNode(name, `10.0.0.${i + 1}`, { running, startedAt });
  }

  get fault(): FaultRecord['fault'] {
    const record = this.store.get('flt_1');
    assert.ok(record);
    return record.fault;
  }

  get gaps(): unknown[] {
    return this.fault.uncovered.map((u) => [u.node, u.ms, u.verdict]);
  }

  async coveredAgain(): Promise<void> {
    const signal = AbortSignal.timeout(5000);
    await until(async () => (this.fault.uncovered.every((u) => u.until !== null) ? true : undefined), 5, signal);
  }

  get verdicts(): unknown[] {
    return this.events.of('fault.reapplied').map((e) => e.verdict);
  }
}

describe('a fault whose target restarted is put back', () => {
  test('at its start, with a verdict and the time in between; another node’s start changes nothing', async () => {
    const w = new World();
    await w.inject();
    await w.restart('a');
    assert.deepEqual([w.gaps, w.verdicts, w.calls], [[['a', 1000, 'confirmed']], ['confirmed'], ['apply']]);
    await w.restart('b');
    assert.deepEqual(w.calls, ['apply']);
  });

  test('when the peer that it names starts later: planning cannot be done before, and then finds the same plan', async () => {
    const w = new World();
    await w.inject({ params: { ...params, peers: ['b'] } });
    await w.die('a');
    w.turn('b', false);
    await w.reapplying.started(w.host, 'flt_1', 'id-a');
    assert.deepEqual([w.gaps, w.failed, w.calls], [[['a', null, null]], [], []]);
    w.turn('b', true);
    await w.reapplying.started(w.host, 'flt_1', 'id-b');
    assert.deepEqual([w.gaps, w.verdicts], [[['a', 1000, 'confirmed']], ['confirmed']]);
  });

  test('or by itself, when no event comes', async () => {
    const w = new World();
    await w.inject({ params: { ...params, peers: ['b'] } });
    w.turn('b', false);
    await w.restart('a');
    w.turn('b', true);
    await w.coveredAgain();
    assert.deepEqual(w.verdicts, ['confirmed']);
  });

  test('again after an act that failed, although the new plan is stored; what it may have left is taken away first', async () => {
    const w = new World();
    await w.inject();
    w.broken = 1;
    await w.restart('a');
    assert.deepEqual([w.gaps, w.failed.length], [[['a', null, null]], 1]);
    await w.coveredAgain();
    assert.deepEqual([w.calls, w.verdicts], [['apply', 'undo', 'apply'], ['confirmed']]);
  });

  test('again when no effect was seen: that verdict stands, and the time goes on until one is', async () => {
    const w = new World();
    await w.inject();
    w.weak = 1;
    await w.restart('a');
    assert.deepEqual([w.gaps, w.verdicts], [[['a', null, 'not_observed']], ['not_observed']]);
    await w.coveredAgain();
    assert.deepEqual([w.gaps, w.verdicts], [[['a', 1000, 'confirmed']], ['not_observed', 'confirmed']]);
  });

  test('once when its injection was kept without an effect too', async () => {
    const w = new World();
    const effect = { verdict: 'not_observed', observed_ms: 1, between: ['', ''] as [string, string], evidence: [] } as const;
    await w.inject({ effect: { ...effect, evidence: [] } });
    w.weak = 1;
    await w.restart('a');
    assert.deepEqual(w.gaps, [['a', 1000, 'not_observed']]);
  });

  test('not any more when it has ended', async () => {
    const w = new World();
    await w.inject();
    w.broken = 1e9;
    await w.restart('a');
    const record = w.store.get('flt_1');
    assert.ok(record);
    await w.store.save({ ...record, fault: { ...record.fault, state: 'healed' } });
    const { length } = w.calls;
    await new Promise((resolve) => setTimeout(resolve, 5 * soonMs));
    assert.equal(w.calls.length, length);
  });

  test('of several targets: it is taken away where it is, which is told, so that the baseline is one', async () => {
    const w = new World();
    await w.inject({ targets: [target('a'), target('b')] });
    await w.restart('a');
    assert.deepEqual(w.calls, ['undo', 'undo', 'apply', 'apply']);
    assert.deepEqual(
      [w.gaps, w.verdicts],
      [
        [
          ['a', 1000, 'confirmed'],
          ['b', 0, 'confirmed'],
        ],
        ['confirmed'],
      ],
    );
  });

  test('where they run, when another is down; and there at its own start', async () => {
    const w = new World();
    await w.inject({ targets: [target('a'), target('b')] });
    await w.die('b');
    w.turn('b', false);
    await w.restart('a');
    assert.deepEqual(
      [w.gaps, w.failed],
      [
        [
          ['b', null, null],
          ['a', 1000, 'confirmed'],
        ],
        [],
      ],
    );
    w.turn('b', true);
    await w.reapplying.started(w.host, 'flt_1', 'id-b');
    assert.equal(
      w.fault.uncovered.every((u) => u.until !== null),
      true,
    );
  });

  test('and the start of the process that it was put into is kept, of the targets where it is', async () => {
    const w = new World();
    await w.inject({ targets: [target('a'), target('b')] }, { a: 1, b: 1 });
    await w.die('b');
    w.turn('b', false, 1);
    w.turn('a', true, 5);
    await w.restart('a');
    assert.deepEqual(w.starts, { a: 5, b: 1 });
    w.turn('b', true, 7);
    await w.reapplying.started(w.host, 'flt_1', 'id-b');
    assert.deepEqual(w.starts, { a: 5, b: 7 });
  });

  test('and the start before is kept until it holds', async () => {
    const w = new World();
    await w.inject({}, { a: 1 });
    w.turn('a', true, 5);
    w.weak = 1;
    await w.restart('a');
    assert.deepEqual([w.verdicts, w.starts], [['not_observed'], { a: 1 }]);
    await w.coveredAgain();
    assert.deepEqual(w.starts, { a: 5 });
  });

  test('rules that name a peer’s old address are made anew, with no gap', async () => {
    const w = new World();
    await w.inject({ params: { ...params, peers: ['b'] } });
    w.nodes[1] = sceneNode('b', '10.0.0.9');
    await w.reapplying.started(w.host, 'flt_1', 'id-b');
    assert.deepEqual([w.calls, w.gaps], [['apply'], []]);
    assert.deepEqual(
      w.store.get('flt_1')?.act.map((s) => 'peers' in s && s.peers),
      [['10.0.0.9']],
    );
    assert.equal(Date.parse(w.fault.injected_at ?? ''), epoch);
  });
});
