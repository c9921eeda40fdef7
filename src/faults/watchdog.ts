import type { Logger } from 'pino';
import { EngineError } from '../engine/port.ts';
import { type Toolbox, ToolboxError } from '../toolbox/port.ts';
import type { Ended } from '../toolbox/protocol.ts';
import type { FaultRecord } from './fault.ts';

/** Hands undo steps to the toolbox, where they are carried out at their time even if this service is gone for good. */
export class Watchdog {
  #toolbox: Toolbox;
  #log: Pick<Logger, 'warn'>;

  constructor(toolbox: Toolbox, log: Pick<Logger, 'warn'>) {
    this.#toolbox = toolbox;
    this.#log = log;
  }

  /**
   * Durable in the toolbox when it answers true. False: the toolbox cannot be had, and the fault does not need it: it is undone by this service only, and says so.
   */
  async arm(record: FaultRecord, ttlMs: number, required: boolean, signal: AbortSignal): Promise<boolean> {
    const { fault, undo, fence } = record;
    try {
      await this.#toolbox.call('arm', { fault: fault.id, subject: fault.subject, fence, ttl_ms: Math.ceil(ttlMs), undo }, signal);
      return true;
    } catch (error) {
      // Somebody handed it over since with what was newer, and that stands.
      if (error instanceof ToolboxError && error.code === 'stale_fence') return true;
      if (required || signal.aborted || !isToolboxFailure(error)) throw error;
      this.#log.warn({ error, fault: fault.id }, 'the toolbox cannot be had: the fault is not guarded');
      return false;
    }
  }

  /**
   * Takes the hand-over back, whoever made the newest. Answers how the watchdog ended the fault, if it did; null too when the toolbox cannot be had: what is left there is
   * taken back at the next join. Throws what else the toolbox says: an undo that stays there would be carried out later, on whatever the node is then.
   */
  async disarm(record: Pick<FaultRecord, 'fence'> & { fault: { id: string } }, signal: AbortSignal): Promise<Ended | null> {
    const fault = record.fault.id;
    try {
      return (await this.#toolbox.call('disarm', { fault, fence: record.fence }, signal)).ended;
    } catch (error) {
      if (error instanceof ToolboxError && error.code === 'stale_fence') {
        const held = (await this.#toolbox.call('records', {}, signal)).records.find((r) => r.fault === fault);
        return held === undefined ? null : (await this.#toolbox.call('disarm', { fault, fence: held.fence }, signal)).ended;
      }
      if (signal.aborted || !isAway(error)) throw error;
      this.#log.warn({ error, fault: record.fault.id }, 'the watchdog could not be told of the end of a fault; it is at the next join');
      return null;
    }
  }
}

/** It is joined again when it is back, and agrees with the ledger then. */
function isAway(error: unknown): boolean {
  return error instanceof EngineError || (error instanceof ToolboxError && (error.code === 'lost' || error.code === 'unavailable'));
}

function isToolboxFailure(error: unknown): boolean {
  return error instanceof ToolboxError || error instanceof EngineError || (error instanceof Error && error.name === 'DeadlineError');
}
