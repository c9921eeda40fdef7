import { rfc3339 } from '../lib/clock.ts';
import type { Context } from './context.ts';
import { find } from './fault_use.ts';
import type { Host } from './host.ts';

/** Notes that an active fault is not in force at a node since a time, and tells it; once until it is put back. */
export async function uncover(context: Context, host: Host, fault: string, node: string, since: number, why: object = {}): Promise<void> {
  const record = find(context, host, fault);
  if (record.fault.state !== 'active' || record.fault.uncovered.some((u) => u.node === node && u.until === null)) return;
  record.fault.uncovered.push({ node, from: rfc3339(since), until: null, ms: null, verdict: null });
  await context.store.save(record);
  context.events.emit('fault.uncovered', host.subject.name, { fault_id: fault, node, ...why });
}
