import { isLive } from '../faults/fault.ts';
import { DeadlineError, deadline, pause } from '../lib/until.ts';
import type { Context } from './context.ts';
import type { Expiry } from './expiry.ts';

const reconcileMs = 30_000;
/** First pause before a lost toolbox is joined again; doubled each time up to the longest. */
const againMs = 500;
const longestPauseMs = 30_000;

/**
 * Keeps the toolbox's watchdog and the ledger in step. After each join: what the watchdog holds of ours and the ledger does not know is undone and taken back, and every live fault is handed over again. A lost toolbox
 * is brought back; meanwhile the faults say that they are not guarded.
 */
export class Guard {
  #context: Context;
  #expiry: Pick<Expiry, 'remainingMs'>;
  #closing: AbortSignal;
  #ended: (fault: string) => void;
  #bringing = false;

  /** `ended` is called for a live fault that the watchdog ended. */
  constructor(context: Context, expiry: Pick<Expiry, 'remainingMs'>, closing: AbortSignal, ended: (fault: string) => void) {
    this.#context = context;
    this.#expiry = expiry;
    this.#ended = ended;
    this.#closing = closing;
    const { toolbox, events, log } = context;
    toolbox.onJoined = () => this.#reconcile();
    toolbox.onLost = (why) => {
      log.warn({ why }, 'the toolbox was lost');
      events.emit('toolbox.lost', null, { why });
      this.#background('faults that are not guarded any more', this.#mark(false));
      this.bringBack();
    };
    toolbox.onEnded = (fault, { by, done }) => {
      const known = context.store.get(fault);
      events.emit('fault.watchdog', known?.fault.subject ?? null, { fault_id: fault, by, done });
      if (known !== null && isLive(known.fault.state)) this.#ended(fault);
    };
  }

  /** Joins the toolbox, again and again until it works or the service ends. Once at a time. */
  bringBack(): void {
    if (this.#bringing) return;
    this.#bringing = true;
    this.#background(
      'the toolbox',
      this.#join().finally(() => {
        this.#bringing = false;
      }),
    );
  }

  /** Undoes what dead owners left; the toolbox tells them from the live ones. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { swept } = await this.#context.toolbox.call('sweep', {}, signal, 30_000);
    if (swept.length === 0) return;
    this.#context.log.warn({ swept }, 'leftovers of services that are gone were undone');
    this.#context.events.emit('leftovers.swept', null, { faults: swept });
  }

  async #join(): Promise<void> {
    for (let wait = againMs; !this.#closing.aborted; wait = Math.min(longestPauseMs, wait * 2)) {
      try {
        using limited = deadline('the toolbox', reconcileMs, this.#closing);
        await this.#context.toolbox.call('owners', {}, limited);
        return;
      } catch (error) {
        if (this.#closing.aborted) return;
        this.#context.log.debug({ error: error instanceof Error ? error.message : error }, 'the toolbox cannot be had yet');
      }
      await pause(wait, this.#closing).catch((error: unknown) => {
        if (!this.#closing.aborted) throw error;
      });
    }
  }

  async #reconcile(): Promise<void> {
    const { toolbox, store, owner, watchdog } = this.#context;
    using limited = deadline('agreeing with the watchdog', reconcileMs, this.#closing);
    const { records } = await toolbox.call('records', {}, limited);
    const live = store.live();
    for (const held of records.filter((r) => r.owner === owner && !live.some((l) => l.fault.id === r.fault))) {
      // Healed and verified here while the toolbox was away: only the hand-over is left. One that the ledger never knew (it was lost) ends now.
      if (store.get(held.fault) !== null || held.ended !== null)
        await watchdog.disarm({ fault: { id: held.fault }, fence: held.fence }, limited);
      else await toolbox.call('renew', { fault: held.fault, fence: held.fence, ttl_ms: 1 }, limited);
    }
    for (const record of live.filter((r) => r.fault.state === 'active')) {
      const held = records.find((r) => r.fault === record.fault.id);
      if (held?.ended != null) {
        this.#ended(record.fault.id);
        continue;
      }
      await this.#handOver(record.fault.id, held?.fence ?? 0, limited);
    }
    this.#context.events.emit('toolbox.joined', null, {});
  }

  /** Hands an active fault over as the ledger has it now, newer than what the watchdog `held`. */
  async #handOver(id: string, held: number, signal: AbortSignal): Promise<void> {
    const { store, watchdog } = this.#context;
    const record = await store.nextFence(id, held);
    if (record === null) return;
    const guarded = await watchdog.arm(record, this.#expiry.remainingMs(record.fault), false, signal);
    await store.patch(id, (now) => {
      now.fault.guarded = guarded;
    });
    // It may have been healed while it was handed over.
    if (store.get(id)?.fault.state !== 'active') await watchdog.disarm(record, signal);
  }

  async #mark(guarded: boolean): Promise<void> {
    for (const { fault } of this.#context.store.live()) {
      if (fault.guarded === guarded) continue;
      await this.#context.store.patch(fault.id, (now) => {
        now.fault.guarded = guarded;
      });
    }
  }

  #background(what: string, work: Promise<unknown>): void {
    void work.catch((error: unknown) => {
      if (!(error instanceof DeadlineError && this.#closing.aborted)) this.#context.log.error({ error }, what);
    });
  }
}
