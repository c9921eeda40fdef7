import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Context } from '../../src/control/context.ts';
import type { Expiry } from '../../src/control/expiry.ts';
import { renewUse } from '../../src/control/fault_use.ts';
import type { Host } from '../../src/control/host.ts';
import { EventLog } from '../../src/events/log.ts';
import type { Fault, FaultRecord, FaultState } from '../../src/faults/fault.ts';
import { FaultStore } from '../../src/faults/store.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { systemClock } from '../../src/lib/clock.ts';

const id = 'flt_01J9Z8Q4M7C2V5B6N8K0T3W1XY';
const host = { subject: { name: 'etcd' } } as Host;
const signal = AbortSignal.timeout(10_000);
const uncovered = { node: 'etcd0', from: '2026-01-01T00:00:00.000Z', until: null, ms: null, verdict: null };

/** A fault that is active and its store on a real ledger; `meanwhile` runs while the watchdog is told. */
async function renewed(meanwhile: (store: FaultStore) => Promise<unknown>) {
  const folder = mkdtempSync(join(tmpdir(), 'subjectd-renew-'));
  const ledger = await Ledger.open(join(folder, 'ledger'), systemClock);
  const events = EventLog.open(join(folder, 'events'), systemClock);
  const store = new FaultStore(ledger, events);
  const fault = { id, subject: 'etcd', state: 'active' as FaultState, targets: [], guarded: true, heal: null, effect: null, uncovered: [] };
  await store.save({ fault: { ...fault, expires_at: 'before' } as unknown as Fault, act: [], undo: [], fence: 1 });
  const watched: Fault[] = [];
  const disarmed: number[] = [];
  const watchdog = {
    arm: async () => {
      await meanwhile(store);
      return true;
    },
    disarm: async (record: FaultRecord) => disarmed.push(record.fence),
  };
  const context = { store, events, watchdog, clock: systemClock } as unknown as Context;
  const expiry = { watch: (f: Fault) => watched.push(f) } as unknown as Expiry;
  try {
    const outcome = await renewUse(context, host, expiry, id, 60_000, signal).catch((error: unknown) => error);
    return { outcome, now: store.get(id), watched, disarmed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a renewal keeps what others wrote into the fault meanwhile', async () => {
  const { outcome, now, watched } = await renewed((store) => store.patch(id, (record) => void record.fault.uncovered.push(uncovered)));
  assert.equal((outcome as Fault).id, id);
  assert.deepEqual(now?.fault.uncovered, [uncovered]);
  assert.equal(now?.fence, 2);
  assert.notEqual(now?.fault.expires_at, 'before');
  assert.deepEqual(watched, [now?.fault]);
});

test('a fault that was healed meanwhile stays healed, and the watchdog is told', async () => {
  const { outcome, now, watched, disarmed } = await renewed((store) =>
    store.patch(id, (record) => {
      record.fault.state = 'healed';
    }),
  );
  assert.equal((outcome as { code?: string }).code, 'fault_ended');
  assert.deepEqual([now?.fault.state, now?.fault.expires_at], ['healed', 'before']);
  assert.deepEqual(watched, []);
  assert.deepEqual(disarmed, [2]);
});

test('a heal that is under way knows the newest fence, is not undone, and leaves nothing with the watchdog', async () => {
  const { outcome, now, watched, disarmed } = await renewed((store) =>
    store.patch(id, (record) => {
      record.fault.state = 'healing';
    }),
  );
  assert.equal((outcome as { code?: string }).code, 'fault_ended');
  assert.deepEqual([now?.fault.state, now?.fence, now?.fault.expires_at], ['healing', 2, 'before']);
  assert.deepEqual([watched, disarmed], [[], [2]]);
});
