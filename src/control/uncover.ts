import type { FaultRecord } from '../faults/fault.ts';
import { rfc3339 } from '../lib/clock.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';

type Told = Pick<Context, 'store' | 'events' | 'clock'>;

/** Notes that an active fault is not in force at a node since a time, and tells it; once until it is again. */
export async function uncover(context: Told, host: Host, fault: string, node: string, since: number, why: object = {}): Promise<void> {
  const told = await context.store.patch(fault, (record) => {
    if (record.fault.state !== 'active' || openAt(record, node).length > 0) return false;
    record.fault.uncovered.push({ node, from: rfc3339(since), until: null, ms: null, verdict: null });
    return true;
  });
  if (told) context.events.emit('fault.uncovered', host.subject.name, { fault_id: fault, node, ...why });
}

/** Notes that it is in force there again, without having been put back by an operation that would have witnessed it. */
export async function cover(context: Told, host: Host, fault: string, node: string): Promise<void> {
  const now = context.clock.now();
  const told = await context.store.patch(fault, (record) => {
    const open = openAt(record, node);
    for (const u of open) Object.assign(u, { until: rfc3339(now), ms: now - Date.parse(u.from) });
    // As a rule there is nothing to note, and nothing is written then.
    return open.length > 0;
  });
  if (told) context.events.emit('fault.covered', host.subject.name, { fault_id: fault, node });
}

function openAt({ fault }: FaultRecord, node: string): FaultRecord['fault']['uncovered'] {
  return fault.uncovered.filter((u) => u.node === node && u.until === null);
}
