import type { Effect } from '../fault.ts';
import { atLeast, atMost } from './binomial.ts';
import { together } from './together.ts';
import type { Run } from './trains.ts';

/** How unlikely a train must be under one explanation before the other is believed. */
const doubt = 1e-3;

/**
 * Was about `percent` of what left a target lost? Two questions of a binomial test: are so many losses believable without the fault (by the train before and the control pair), and are so few believable with it?
 * Only a no and a yes confirm. A loss too small for the train leaves both possible: inconclusive.
 */
export function judgeLoss(before: readonly Run[], after: readonly Run[], percent: number): Effect['verdict'] {
  const lost = (runs: readonly Run[]) => runs.reduce((sum, r) => sum + r.train.sent - r.train.received, 0);
  const sent = (runs: readonly Run[]) => runs.reduce((sum, r) => sum + r.train.sent, 0);
  const of = (runs: readonly Run[], role: Run['role']) => runs.filter((r) => r.role === role);
  const outs = of(after, 'out');
  const unfaulted = [...of(before, 'out'), ...of(after, 'control')];
  if (sent(outs) === 0 || sent(unfaulted) === 0) return 'inconclusive';
  const usual = Math.max(0.002, (lost(unfaulted) + 0.5) / (sent(unfaulted) + 1));
  const verdicts = outs.map((run): Effect['verdict'] => {
    const { sent: n, received } = run.train;
    const k = n - received;
    const withoutIt = atLeast(k, n, usual);
    const withIt = atMost(k, n, percent / 100);
    if (withoutIt < doubt && withIt > doubt) return 'confirmed';
    if (withIt <= doubt) return 'not_observed';
    return 'inconclusive';
  });
  return together(verdicts);
}
