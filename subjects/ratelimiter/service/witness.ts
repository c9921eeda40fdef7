/**
 * Watches allowed checks from the outside and counts proven violations. A check was decided at some moment between its request and its reply, so
 * `limit + 1` allowed checks that all were asked and answered inside less than one window are more than the limiter may allow. What it does not
 * report may still be wrong; what it reports is wrong, as long as the counters were not reset meanwhile and the clocks of both sides run alike.
 */
export class Witness {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #asked = new Map<string, number[]>();
  #violations = 0;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Tells of an allowed check, in the order of the replies; times are monotonic ms. Answers true when it proves a violation. */
  allowed(key: string, askedAt: number, answeredAt: number): boolean {
    const asked = (this.#asked.get(key) ?? []).filter((at) => at > answeredAt - this.#windowMs);
    asked.push(askedAt);
    this.#asked.set(key, asked);
    const inside = askedAt > answeredAt - this.#windowMs ? asked.length : 0;
    const violated = inside > this.#limit;
    if (violated) this.#violations += 1;
    return violated;
  }

  /** Replies so far that proved a violation. */
  get violations(): number {
    return this.#violations;
  }
}
