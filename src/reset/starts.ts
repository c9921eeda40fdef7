import { setTimeout as delay } from 'node:timers/promises';
import { either } from '../lib/until.ts';

/** The starts of containers that are under way. */
export class Starts {
  #underWay = new Set<Promise<void>>();

  async during(start: () => Promise<void>): Promise<void> {
    const work = start();
    this.#underWay.add(work);
    try {
      await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Resolves when those under way now have ended, well or not; after `ms` at the latest, or when the signal aborts. Never rejects. */
  async over(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#underWay.size === 0) return;
    const stop = new AbortController();
    using both = either(signal, stop.signal);
    const late = delay(ms, undefined, { signal: both }).catch(() => {});
    await Promise.race([Promise.allSettled(this.#underWay), late]).finally(() => stop.abort());
  }
}
