import { deadline, orAborted } from '../lib/until.ts';
import type { Context } from './context.ts';

const writableMs = 2000;

/**
 * Tries whether the ledger can be written, at most once a second and one try at a time: anybody may ask, and a try writes to the disk. A disk that does not
 * answer in two seconds is none.
 */
export function ledgerProbe({ ledger, clock }: Pick<Context, 'ledger' | 'clock'>): (signal: AbortSignal) => Promise<boolean> {
  let last: { at: number; ok: Promise<boolean>; pending: boolean } | null = null;
  return async (signal) => {
    if (last === null || (!last.pending && clock.mono() - last.at > 1000)) {
      const done = () => {
        probe.pending = false;
      };
      const probe = { at: clock.mono(), ok: ledger.probe().finally(done), pending: true };
      last = probe;
    }
    using limited = deadline('ledger', writableMs, signal);
    try {
      return await orAborted(last.ok, limited);
    } catch (error) {
      signal.throwIfAborted();
      if (limited.aborted) return false;
      throw error;
    }
  };
}
