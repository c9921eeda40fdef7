import type { Effect } from '../fault.ts';

/** One verdict out of one for each target: an effect that is missing anywhere is missing, and only one that is everywhere is confirmed. */
export function together(verdicts: readonly Effect['verdict'][]): Effect['verdict'] {
  if (verdicts.includes('not_observed')) return 'not_observed';
  return verdicts.length > 0 && verdicts.every((v) => v === 'confirmed') ? 'confirmed' : 'inconclusive';
}
