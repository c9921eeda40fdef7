import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { bounds } from './keys.ts';
import { integer, text } from './settings.ts';
import type { Witness } from './witness.ts';

/** What the load generator is told by its environment. */
export interface LoadSettings {
  targets: URL[];
  ratePerSecond: number;
  keys: string[];
  limit: number;
  windowMs: number;
  durationSeconds: number;
}

/** Reads the settings. Throws an Error that names the variable and what it may be. */
export function readLoadSettings(env: Readonly<Record<string, string | undefined>>): LoadSettings {
  const targets = text(env, 'TARGETS', 'http://limiter1:8080,http://limiter2:8080,http://limiter3:8080').split(',');
  return {
    targets: targets.map((target) => {
      const url = URL.canParse(target.trim()) ? new URL('/check', target.trim()) : null;
      if (url?.protocol !== 'http:') throw new Error(`TARGETS=${targets.join(',')}: it must be http:// addresses, separated by commas.`);
      return url;
    }),
    ratePerSecond: integer(env, 'RATE', 50, 1, 10_000),
    keys: Array.from({ length: integer(env, 'KEYS', 5, 1, 10_000) }, (_, i) => `load-${i}`),
    limit: integer(env, 'LIMIT', 20, 0, bounds.limit),
    windowMs: integer(env, 'WINDOW_MS', 5000, 1, bounds.windowMs),
    durationSeconds: integer(env, 'DURATION_S', 60, 1, 86_400),
  };
}

/** Answers of one second, or of all. */
export interface Tally {
  sent: number;
  allowed: number;
  refused: number;
  /** 503: the limiter is there, its Redis is not. */
  unavailable: number;
  /** No answer, or another status. */
  failed: number;
  /** Not sent, because too many were under way. */
  skipped: number;
  violations: number;
  latencies: number[];
}

export function emptyTally(): Tally {
  return { sent: 0, allowed: 0, refused: 0, unavailable: 0, failed: 0, skipped: 0, violations: 0, latencies: [] };
}

/** A tally as one line of JSON, latencies as percentiles. */
export function line(at: string, { latencies, ...counts }: Tally): string {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at_ = (share: number) => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return JSON.stringify({ at, ...counts, p50_ms: at_(0.5), p95_ms: at_(0.95) });
}

const maxUnderWay = 500;
const requestTimeoutMs = 2000;

/** Sends checks, and counts what comes back in `tally`, which the owner may replace at any time. */
export class Load {
  tally = emptyTally();
  readonly #settings: LoadSettings;
  readonly #witness: Witness;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 });
  #underWay = new Set<Promise<void>>();
  #count = 0;

  constructor(settings: LoadSettings, witness: Witness) {
    this.#settings = settings;
    this.#witness = witness;
  }

  /** Sends one check to the next target for the next key. */
  send(): void {
    if (this.#underWay.size >= maxUnderWay) {
      this.tally.skipped += 1;
      return;
    }
    const { targets, keys } = this.#settings;
    const n = this.#count++;
    const target = targets[n % targets.length];
    const key = keys[Math.floor(n / targets.length) % keys.length];
    if (target === undefined || key === undefined) throw new Error('no target or no key');
    this.tally.sent += 1;
    const check = this.#check(target, key).finally(() => this.#underWay.delete(check));
    this.#underWay.add(check);
  }

  /** Waits for the checks under way, each of which ends within its time-out, and closes the connections. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }

  async #check(target: URL, key: string): Promise<void> {
    const askedAt = performance.now();
    const status = await this.#post(target, { key, limit: this.#settings.limit, window_ms: this.#settings.windowMs });
    const answeredAt = performance.now();
    if (status === null) {
      this.tally.failed += 1;
      return;
    }
    this.tally.latencies.push(answeredAt - askedAt);
    if (status === 200) {
      this.tally.allowed += 1;
      if (this.#witness.allowed(key, askedAt, answeredAt)) this.tally.violations += 1;
    } else if (status === 429) this.tally.refused += 1;
    else if (status === 503) this.tally.unavailable += 1;
    else this.tally.failed += 1;
  }

  /** The status, or null when no whole answer came. */
  #post(target: URL, body: unknown): Promise<number | null> {
    return new Promise((resolve) => {
      const text = JSON.stringify(body);
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const sent = request(
        target,
        { method: 'POST', agent: this.#agent, headers, signal: AbortSignal.timeout(requestTimeoutMs) },
        (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? null));
          response.on('error', () => resolve(null));
        },
      );
      sent.on('error', () => resolve(null));
      sent.end(text);
    });
  }
}
