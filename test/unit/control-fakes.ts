import type { ContainerDetail } from '../../src/engine/port.ts';
import type { EventLog } from '../../src/events/log.ts';
import type { FaultRecord } from '../../src/faults/fault.ts';
import type { SceneNode } from '../../src/faults/scene.ts';
import { FaultStore } from '../../src/faults/store.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { rfc3339 } from '../../src/lib/clock.ts';

/** 2026-01-01. */
export const epoch = 1_767_225_600_000;

/** A wall clock and a monotonic one, each set by hand. */
export class FakeClock {
  wall = epoch;
  monotonic = 1000;
  now = () => this.wall;
  mono = () => this.monotonic;
}

export class FakeEvents {
  told: [type: string, data: Record<string, unknown>][] = [];
  emit = (type: string, _subject: string | null, data: Record<string, unknown>) => void this.told.push([type, data]);
  of = (type: string) => this.told.filter(([t]) => t === type).map(([, data]) => data);
}

export function fakeStore(events: FakeEvents): FaultStore {
  const ledger = { all: () => [], put: async () => {}, forget: async () => {} };
  return new FaultStore(ledger as unknown as Ledger, events as unknown as EventLog);
}

export const target = (name: string) => ({ node: name, container: `p-${name}-1`, container_id: `id-${name}` });

export function activeFault(over: Partial<FaultRecord['fault']>): FaultRecord {
  const fault = {
    id: 'flt_1',
    subject: 'p',
    chaos_type: 'latency',
    state: 'active',
    targets: [target('a')],
    params: {},
    mechanism: 'nfqueue',
    effect: { verdict: 'confirmed', observed_ms: 1, between: ['', ''], evidence: [] },
    injected_at: rfc3339(epoch),
    expires_at: rfc3339(epoch + 60_000),
    guarded: true,
    ended_by: null,
    heal: null,
    metadata: {},
    on_target_restart: 'reapply',
    uncovered: [],
    ...over,
  };
  return { fault, act: [], undo: [], fence: 1 } as unknown as FaultRecord;
}

export function sceneNode(name: string, address: string, over: Partial<SceneNode> = {}): SceneNode {
  return {
    name,
    type: 'cell',
    container: `p-${name}-1`,
    containerId: `id-${name}`,
    running: true,
    startedAt: 1,
    address,
    paused: false,
    networks: over.running === false ? [] : [{ id: 'net', name: 'p_net', ipv4: address, ipv6: null }],
    hostNetwork: false,
    sharesNetworkWith: [],
    bounded: [],
    memoryLimited: false,
    ...over,
  };
}

export const container = (state: string, startedAt = 1): ContainerDetail => ({ state, startedAt, restartCount: 0 }) as ContainerDetail;
