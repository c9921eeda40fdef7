import type { Effect } from '../fault.ts';
import type { Run } from './trains.ts';

/**
 * Is the cut there, and only where it was asked for? Every train of a cut direction must have passed before and vanish wholly now; every other train must still pass. One packet through a cut is enough to say that it is not there.
 */
export function judgeCut(before: readonly Run[], after: readonly Run[], isCut: (run: Run) => boolean): Effect['verdict'] {
  let confirmed = 0;
  let unclear = false;
  for (const [i, b] of before.entries()) {
    const a = after[i];
    if (a === undefined) return 'inconclusive';
    const passed = b.train.received >= Math.ceil(b.train.sent / 2) && b.train.sent > 0;
    if (isCut(b)) {
      if (a.train.received > 0) return 'not_observed';
      if (!passed || a.train.error !== undefined || a.train.sent === 0) unclear = true;
      else confirmed++;
    } else if (passed && a.train.received === 0) unclear = true;
  }
  return confirmed > 0 && !unclear ? 'confirmed' : 'inconclusive';
}
