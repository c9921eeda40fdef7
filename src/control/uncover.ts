import { rfc3339 } from '../lib/clock.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';

/** Notes that an active fault is not in force at a node since a time, and tells it; once until it is again. */
export async function uncover(context: Context, host: Host, fault: string, node: string, since: number, why: object = {}): Promise<void> {
  let told = false;
  await context.store.patch(fault, (record) => {
    if (record.fault.state !== 'active' || record.fault.uncovered.some((u) => u.node === node && u.until === null)) return;
    record.fault.uncovered.push({ node, from: rfc3339(since), until: null, ms: null, verdict: null });
    told = true;
  });
  if (told) context.events.emit('fault.uncovered', host.subject.name, { fault_id: fault, node, ...why });
}

/** Notes that it is in force there again, without having been put back by an operation that would have witnessed it. */
export async function cover(context: Context, host: Host, fault: string, node: string): Promise<void> {
  const now = context.clock.now();
  let told = false;
  await context.store.patch(fault, (record) => {
    for (const u of record.fault.uncovered.filter((x) => x.node === node && x.until === null)) {
      Object.assign(u, { until: rfc3339(now), ms: now - Date.parse(u.from) });
      told = true;
    }
  });
  if (told) context.events.emit('fault.covered', host.subject.name, { fault_id: fault, node });
}
