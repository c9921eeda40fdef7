import type { Effect } from '../src/faults/fault.ts';

/** Wall clock of the moment at which an effect was witnessed, in milliseconds. The service runs on this machine: the clocks are one. */
export function witnessedAt({ between: [, observed] }: Effect): number {
  return Date.parse(observed);
}
