import { deadline } from './until.ts';

/** When a piece of work of many may begin. Answers and throws what the work does; throws the signal's reason when that aborts before. */
export type Turn = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** All at once. */
export const atOnce: Turn = (work) => work();

/**
 * Lets work begin a few at a time, in the order of the calls. Requests that are all sent in one moment wake all those who are asked in one moment too, and on a small host they then keep this
 * process from its processor until the last has answered. Work that takes long gives its place to the next one, so that who never answers holds nobody up.
 */
export class Turns {
  #places: number;
  #longMs: number;
  #queue = new Set<() => void>();

  /** `places` pieces of work that have begun less than `longMs` ago and not ended. */
  constructor(places: number, longMs: number) {
    this.#places = places;
    this.#longMs = longMs;
  }

  readonly turn: Turn = async (work, signal) => {
    if (this.#places > 0) this.#places--;
    else await this.#place(signal);
    using long = deadline('a turn', this.#longMs);
    let held = true;
    const leave = () => {
      if (!held) return;
      held = false;
      const [next] = this.#queue;
      if (next === undefined) this.#places++;
      else {
        this.#queue.delete(next);
        next();
      }
    };
    long.addEventListener('abort', leave, { once: true });
    try {
      return await work();
    } finally {
      leave();
    }
  };

  #place(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#queue.delete(come);
        reject(signal.reason);
      };
      const come = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      if (signal.aborted) return leave();
      this.#queue.add(come);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
