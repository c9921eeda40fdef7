import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Context } from '../../src/control/context.ts';
import type { Host } from '../../src/control/host.ts';
import { Supervision } from '../../src/control/supervision.ts';
import type { FaultRecord } from '../../src/faults/fault.ts';
import { composeLabels } from '../../src/kind/subject.ts';
import { rfc3339 } from '../../src/lib/clock.ts';
import { until } from '../../src/lib/until.ts';
import { activeFault, container, epoch, FakeClock, FakeEvents, fakeStore, target } from './control-fakes.ts';

/** One node with a fault of which somebody has taken everything away; answers whether that is noticed by the look at it. */
async function isNoticed(startedAt: number, over: Partial<FaultRecord>, paused = false): Promise<boolean> {
  const [clock, events, closing] = [new FakeClock(), new FakeEvents(), new AbortController()];
  const store = fakeStore(events);
  const step = { op: 'net.clear', fault: 'flt_1', node: 'a', container_id: 'id-a' } as const;
  await store.save({ ...activeFault({ targets: [target('a')] }), act: [step], undo: [step], ...over });
  const detail = {
    ...container(paused ? 'paused' : 'running', startedAt),
    ...{ id: 'id-a', labels: { [composeLabels.service]: 'a' }, networks: [], networkMode: '' },
  };
  let looks = 0;
  const engine = {
    listContainers: async () => [{ id: 'id-a' }],
    inspectContainer: async () => {
      looks++;
      return detail;
    },
  };
  const toolbox = { call: async () => ({ residue: [] }) };
  const log = { error: console.error, debug: console.error };
  const context = { clock, events, store, engine, toolbox, log, owner: 'o', env: {} } as unknown as Context;
  const heals: string[] = [];
  const host = {
    subject: {
      name: 'p',
      kind: { adapter: { nodeTypes: { a: 'cell' } } },
      project: { name: 'p', services: [{ name: 'a', containerName: 'p-a-1', networks: [], mounts: [] }], networks: [], volumes: [] },
    },
    reach: { toolkit: () => ({}) },
    queued: async (kind: string) => void heals.push(kind),
  } as unknown as Host;
  new Supervision(context, () => [host], 60_000, closing.signal).begin(host, 'flt_1');
  await until(async () => (looks > 0 ? true : undefined), 1, AbortSignal.timeout(5000));
  await new Promise((resolve) => setTimeout(resolve, 20));
  return heals.length > 0;
}

describe('an active fault is looked at while its targets run as they did when it was put into them', () => {
  test('whatever the engine’s clock says beside ours', async () => {
    for (const start of [epoch - 3_600_000, epoch + 3_600_000]) {
      assert.equal(await isNoticed(start, { startedAt: { a: start } }), true);
      assert.equal(await isNoticed(start, { startedAt: { a: start } }, true), true);
      // What a restart took away is put back, and is not the end of the fault.
      assert.equal(await isNoticed(start + 1000, { startedAt: { a: start } }), false);
    }
  });

  test('by our clock where the record, of an older version, does not say', async () => {
    assert.equal(await isNoticed(epoch - 1000, {}), true);
    assert.equal(await isNoticed(epoch + 1000, {}), false);
    const again = { node: 'a', from: rfc3339(epoch), until: rfc3339(epoch + 2000), ms: 2000, verdict: 'confirmed' } as const;
    const { fault } = activeFault({ uncovered: [again] });
    assert.equal(await isNoticed(epoch + 1000, { fault }), true);
  });
});
