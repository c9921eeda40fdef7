import type { EventLog } from '../events/log.ts';
import { type Fault, isLive } from '../faults/fault.ts';
import type { FaultStore } from '../faults/store.ts';
import type { Clock } from '../lib/clock.ts';

/** A fault's end is told this long before, or a tenth of what is left, whichever is shorter. */
const noticeMs = 10_000;

/**
 * Ends faults whose time to live is over, with an event before. Timers run on the monotonic clock: setting the wall clock back while the service runs
 * does not prolong a fault.
 */
export class Expiry {
  #store: FaultStore;
  #events: EventLog;
  #clock: Clock;
  #end: (fault: Fault) => void;
  #timers = new Map<string, NodeJS.Timeout[]>();
  /** When a fault's time is over, by the monotonic clock; of the past ones until the next is watched. */
  #ends = new Map<string, number>();
  #tries = new Map<string, number>();

  constructor(store: FaultStore, events: EventLog, clock: Clock, end: (fault: Fault) => void) {
    this.#store = store;
    this.#events = events;
    this.#clock = clock;
    this.#end = end;
  }

  /** Begins anew for a fault that was made or renewed. */
  watch(fault: Fault): void {
    this.#tries.delete(fault.id);
    this.#clear(fault.id);
    this.#forgetEnded();
    const left = Math.max(0, Date.parse(fault.expires_at) - this.#clock.now());
    this.#ends.set(fault.id, this.#clock.mono() + left);
    const notice = Math.min(noticeMs, left / 10);
    const current = () => {
      const now = this.#store.get(fault.id)?.fault;
      return now !== undefined && isLive(now.state) ? now : null;
    };
    const expiring = setTimeout(() => {
      if (current() !== null) this.#events.emit('fault.expiring', fault.subject, { fault_id: fault.id, expires_at: fault.expires_at });
    }, left - notice);
    const expired = setTimeout(() => {
      this.#timers.delete(fault.id);
      const now = current();
      if (now !== null) this.#end(now);
    }, left);
    this.#timers.set(fault.id, [expiring, expired]);
  }

  /** True while its time is not over: it may have been renewed since its end was queued. */
  isRunning(id: string): boolean {
    return this.#timers.has(id);
  }

  /**
   * What is left of a fault's time, whatever the wall clock says now; by that clock only when nobody has watched the fault since the service started. At least
   * a millisecond, as the watchdog wants it.
   */
  remainingMs({ id, expires_at }: Pick<Fault, 'id' | 'expires_at'>): number {
    const end = this.#ends.get(id);
    return Math.max(1, end === undefined ? Date.parse(expires_at) - this.#clock.now() : end - this.#clock.mono());
  }

  /** Its end did not undo it: tries again, later each time, up to a minute. */
  tryAgain(fault: Fault): void {
    const tries = (this.#tries.get(fault.id) ?? 0) + 1;
    this.#tries.set(fault.id, tries);
    const again = setTimeout(
      () => {
        this.#timers.delete(fault.id);
        const now = this.#store.get(fault.id)?.fault;
        if (now !== undefined && isLive(now.state)) this.#end(now);
      },
      Math.min(60_000, 5000 * 2 ** (tries - 1)),
    );
    this.#clear(fault.id);
    this.#timers.set(fault.id, [again]);
  }

  stop(): void {
    for (const id of [...this.#timers.keys()]) this.#clear(id);
  }

  #forgetEnded(): void {
    const live = new Set(this.#store.live().map((r) => r.fault.id));
    for (const id of this.#ends.keys()) if (!live.has(id)) this.#ends.delete(id);
  }

  #clear(id: string): void {
    for (const timer of this.#timers.get(id) ?? []) clearTimeout(timer);
    this.#timers.delete(id);
  }
}
