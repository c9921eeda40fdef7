import type { Store } from './store.ts';

const beatEveryMs = 1000;
const timeToLiveMs = 3000;

/** Keeps this node on the list in Redis: a beat each second, and at once when the connection comes up; off the list 3 s after the last one. */
export class Heartbeat {
  readonly #store: Store;
  readonly #node: { id: string; address: string; startedAt: number };
  readonly #onFailure: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #beating = false;
  #lastBeat = Number.NEGATIVE_INFINITY;

  constructor(store: Store, node: { id: string; address: string; startedAt: number }, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#node = node;
    this.#onFailure = onFailure;
  }

  /** True while the last beat is young enough for the node to be on the list. */
  get registered(): boolean {
    return performance.now() - this.#lastBeat < timeToLiveMs;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.beat(), beatEveryMs);
    this.beat();
  }

  /** Beats now, unless a beat is under way or this was not started. */
  beat(): void {
    if (this.#beating || this.#timer === null) return;
    this.#beating = true;
    const started = performance.now();
    this.#store
      .beat(this.#node, timeToLiveMs)
      .then(() => {
        this.#lastBeat = started;
      }, this.#onFailure)
      .finally(() => {
        this.#beating = false;
      });
  }

  /** Stops beating and takes the node off the list; throws when Redis cannot be told, then the list forgets it by itself. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#store.leave(this.#node.id);
  }
}
