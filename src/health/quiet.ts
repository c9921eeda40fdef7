/** At most so long are background polls put off: health must not go stale because a measurement hangs. */
const longestMs = 500;

/** Puts background polls off while something is measured: a poll asks every node, and costs the engine as much as a fault does. Polls that somebody waits for go on. */
export class Quiet {
  #until = 0;
  #measuring = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#measuring++;
    this.#until = performance.now() + longestMs;
    try {
      return await work();
    } finally {
      this.#measuring--;
    }
  }

  get now(): boolean {
    return this.#measuring > 0 && performance.now() < this.#until;
  }
}
