import { DeadlineError, deadline, either, manyListeners, pause } from '../lib/until.ts';
import type { Quiet } from './quiet.ts';
import type { HealthReport } from './report.ts';

/** Pace of the background polls, and of those that somebody waits for. */
export interface Pace {
  idleMs: number;
  waitingMs: number;
}

/**
 * Polls one subject's health all the time and keeps the newest answer. A poll that fails is an answer too and never ends the poller. Polls never overlap.
 */
export class Poller {
  #poll: (signal: AbortSignal, hurry: boolean) => Promise<HealthReport>;
  #onError: (error: unknown) => HealthReport;
  #onChange: (now: HealthReport, before: HealthReport) => void;
  #pace: Pace;
  #quiet: Quiet;
  #latest: HealthReport;
  #stop = manyListeners(new AbortController());
  #wake = new AbortController();
  #poked = false;
  #waiting = 0;
  #held: string | null = null;
  /** Those who want an answer of a poll that begins after they asked. */
  #asked: ((report: HealthReport | Error) => void)[] = [];
  #loop: Promise<void> | null = null;

  constructor(options: {
    /** `hurry`: somebody waits for it. */
    poll: (signal: AbortSignal, hurry: boolean) => Promise<HealthReport>;
    onError: (error: unknown) => HealthReport;
    onChange: (now: HealthReport, before: HealthReport) => void;
    initial: HealthReport;
    pace: Pace;
    quiet: Quiet;
  }) {
    this.#poll = options.poll;
    this.#onError = options.onError;
    this.#onChange = options.onChange;
    this.#latest = options.initial;
    this.#pace = options.pace;
    this.#quiet = options.quiet;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the poller was stopped'));
    await this.#loop;
  }

  get latest(): HealthReport {
    return this.#latest;
  }

  /** Polls soon: something happened. */
  poke(): void {
    this.#poked = true;
    this.#wake.abort();
  }

  /** While held there are no polls, and the latest report says why. */
  hold(report: HealthReport): void {
    this.#held = report.issues[0] ?? 'held';
    this.#set(report);
    for (const tell of this.#asked.splice(0)) tell(report);
  }

  release(): void {
    this.#held = null;
    this.poke();
  }

  /** The answer of a poll that begins after this call. Throws what the poll threw, or the signal's reason. */
  fresh(signal: AbortSignal): Promise<HealthReport> {
    signal.throwIfAborted();
    if (this.#held !== null) return Promise.resolve(this.#latest);
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#asked.push((answer) => {
        signal.removeEventListener('abort', onAbort);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
      this.poke();
    });
  }

  /** Waits until `accept` takes a report of a poll that began after this call, or the time is over; answers the last report then. Throws only the signal's reason. */
  async wait(accept: (report: HealthReport) => boolean, timeoutMs: number, signal: AbortSignal): Promise<HealthReport> {
    using limited = deadline('health', timeoutMs, signal);
    this.#waiting++;
    try {
      for (;;) {
        const report = await this.fresh(limited).catch((error: unknown) => {
          if (limited.aborted) throw error;
          return this.#latest;
        });
        if (accept(report)) return report;
        await pause(this.#pace.waitingMs, limited);
      }
    } catch (error) {
      if (error instanceof DeadlineError && !signal.aborted) return accept(this.#latest) ? unproven(this.#latest) : this.#latest;
      throw error;
    } finally {
      this.#waiting--;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#held === null && (this.#asked.length > 0 || !this.#quiet.now)) await this.#once(signal);
      await this.#rest(signal);
    }
    for (const tell of this.#asked.splice(0)) tell(new Error('the poller was stopped'));
  }

  async #once(signal: AbortSignal): Promise<void> {
    this.#poked = false;
    const asked = this.#asked.splice(0);
    try {
      const report = await this.#poll(signal, asked.length > 0 || this.#waiting > 0);
      // A hold that came meanwhile knows better.
      if (this.#held === null) this.#set(report);
      for (const tell of asked) tell(this.#latest);
    } catch (error) {
      if (!signal.aborted && this.#held === null) this.#set(this.#onError(error));
      for (const tell of asked) tell(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#poked || (this.#asked.length > 0 && this.#held === null)) {
      this.#poked = false;
      return;
    }
    this.#wake = new AbortController();
    using both = either(signal, this.#wake.signal);
    const ms = this.#waiting > 0 ? this.#pace.waitingMs : this.#pace.idleMs;
    await pause(ms, both).catch((error: unknown) => {
      if (!both.aborted) throw error;
    });
    this.#poked = false;
  }

  #set(report: HealthReport): void {
    const before = this.#latest;
    this.#latest = report;
    if (signature(before) !== signature(report)) this.#onChange(report, before);
  }
}

/** A report from before the wait began proves nothing for it: no poll has ended since. */
function unproven(report: HealthReport): HealthReport {
  const nodes = report.nodes.map((n) => ({ ...n, health: 'unknown' as const }));
  return { ...report, healthy: false, has_issues: true, nodes, issues: ['Health could not be polled in time.'] };
}

/** What counts as a change: the verdict and each node's health, not the texts. */
function signature(report: HealthReport): string {
  return JSON.stringify([report.healthy, report.nodes.map((n) => [n.name, n.health])]);
}
