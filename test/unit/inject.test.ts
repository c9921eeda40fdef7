import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChaosType } from '../../src/faults/chaos_type.ts';
import { type Injection, inject } from '../../src/faults/inject.ts';
import type { Scene } from '../../src/faults/scene.ts';
import type { Watchdog } from '../../src/faults/watchdog.ts';
import { FakeClock, FakeEvents, fakeStore, sceneNode, target } from './control-fakes.ts';

/** What is kept of the targets' starts of an injection in whose course its target restarts. */
async function startsKept(life: ChaosType['life']): Promise<unknown> {
  const store = fakeStore(new FakeEvents());
  const nodes = [sceneNode('a', '10.0.0.1', { startedAt: 5 }), sceneNode('b', '10.0.0.2', { startedAt: 6 })];
  const type = {
    name: 'some',
    life,
    plan: async () => ({ act: [], undo: [], metadata: {} }),
    baseline: async () => {
      nodes[0] = sceneNode('a', '10.0.0.1', { startedAt: 9 });
      return { judge: async () => ({ verdict: 'confirmed', evidence: [] }) };
    },
  } as unknown as ChaosType;
  const choice = { targets: [target('a')], selection: { candidates: ['a'], algorithm: 'sha256-v1', draws: [0] } };
  const injection = { id: 'flt_1', subject: 'p', type, choice, params: {}, ttlMs: 1000 } as unknown as Injection;
  const scene = { subject: 'p', nodes, clock: new FakeClock() } as unknown as Scene;
  const watchdog = { arm: async () => true } as unknown as Watchdog;
  const undo = async () => Promise.reject(new Error('nothing to undo'));
  const fault = await inject(injection, { scene, store, watchdog, undo }, AbortSignal.timeout(5000));
  // The public fault has the fields that it always had.
  assert.deepEqual([fault.state, 'startedAt' in fault], ['active', false]);
  return store.get('flt_1')?.startedAt;
}

test('an injection keeps when its targets’ processes started, by the look from which they were chosen, if it ends with them', async () => {
  assert.deepEqual(await startsKept('volatile'), { a: 5 });
  assert.deepEqual([await startsKept('process'), await startsKept('lasting')], [undefined, undefined]);
});
