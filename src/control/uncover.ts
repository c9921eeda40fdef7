import type { FaultRecord } from '../faults/fault.ts';
import { rfc3339 } from '../lib/clock.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';

/** Pieces of work about one thing, one after the other in order of the calls; about different things at once. */
export class InTurn {
  #last = new Map<string, Promise<void>>();

  run<T>(about: string, work: () => Promise<T>): Promise<T> {
    const next = (this.#last.get(about) ?? Promise.resolve()).then(work);
    const over = next.then(
      () => {},
      () => {},
    );
    this.#last.set(about, over);
    void over.then(() => {
      if (this.#last.get(about) === over) this.#last.delete(about);
    });
    return next;
  }
}

/** A change reads, then writes: two at once would lose one. */
const changes = new InTurn();

/** Changes an active fault's record where its uncovered times are concerned. */
export function changeUncovered(context: Pick<Context, 'store'>, fault: string, change: (record: FaultRecord) => void): Promise<void> {
  return changes.run(fault, () => context.store.patch(fault, change));
}

type Told = Pick<Context, 'store' | 'events' | 'clock'>;

/** Notes that an active fault is not in force at a node since a time, and tells it; once until it is again. */
export async function uncover(context: Told, host: Host, fault: string, node: string, since: number, why: object = {}): Promise<void> {
  let told = false;
  await changes.run(fault, async () => {
    const now = context.store.get(fault)?.fault;
    if (now?.state !== 'active' || isUncovered(now.uncovered, node)) return;
    await context.store.patch(fault, (record) => {
      record.fault.uncovered.push({ node, from: rfc3339(since), until: null, ms: null, verdict: null });
      told = true;
    });
  });
  if (told) context.events.emit('fault.uncovered', host.subject.name, { fault_id: fault, node, ...why });
}

/** Notes that it is in force there again, without having been put back by an operation that would have witnessed it. */
export async function cover(context: Told, host: Host, fault: string, node: string): Promise<void> {
  let told = false;
  await changes.run(fault, async () => {
    // As a rule there is nothing to note, and nothing is written then.
    if (!isUncovered(context.store.get(fault)?.fault.uncovered ?? [], node)) return;
    const now = context.clock.now();
    await context.store.patch(fault, (record) => {
      for (const u of record.fault.uncovered.filter((x) => x.node === node && x.until === null)) {
        Object.assign(u, { until: rfc3339(now), ms: now - Date.parse(u.from) });
        told = true;
      }
    });
  });
  if (told) context.events.emit('fault.covered', host.subject.name, { fault_id: fault, node });
}

function isUncovered(times: FaultRecord['fault']['uncovered'], node: string): boolean {
  return times.some((u) => u.node === node && u.until === null);
}
