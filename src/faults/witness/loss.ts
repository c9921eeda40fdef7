import type { Effect } from '../fault.ts';
import { atLeast, atLeastBeside, atMost } from './binomial.ts';
import { together } from './together.ts';
import { losses, type Run } from './trains.ts';

/** How unlikely a train must be under one explanation before the other is believed. */
const doubt = 1e-3;

/** What a network is taken to lose by itself, even if none was seen to be lost. */
const usual = 0.002;

/** More than what was asked by this, and it is something else's as well. */
const beyond = 0.1;

/**
 * Was about `percent` of what left a target lost? So many losses must not be believable without the fault, neither beside what the same pair lost before nor beside what the control pair loses now, and so few must be believable with it.
 * Only a no and a yes confirm. A loss too small for the train, or a pair that lost (or was late) as much before, leaves both possible: inconclusive.
 */
export function judgeLoss(before: readonly Run[], after: readonly Run[], percent: number): Effect['verdict'] {
  const control = after.find((r) => r.role === 'control');
  const pairs = before.flatMap((b, i) => (b.role === 'out' ? [{ was: b, is: after[i] }] : []));
  return together(pairs.map(({ was, is }) => judgeOne(was, is, control, percent / 100)));
}

function judgeOne(was: Run, is: Run | undefined, control: Run | undefined, asked: number): Effect['verdict'] {
  if (is === undefined || control === undefined) return 'inconclusive';
  const [seen, others] = [losses(is), [losses(was), losses(control)]];
  if (seen.of === 0 || others.some((o) => o.of === 0)) return 'inconclusive';
  const { lost: k, of: n } = seen;
  if (atMost(k, n, asked) <= doubt) return 'not_observed';
  const beside = others.map(({ lost, of }) => (lost === 0 ? 0 : atLeastBeside(k, n, lost, of)));
  const without = Math.max(atLeast(k, n, usual), ...beside);
  const together = 1 - (1 - asked) * (1 - Math.max(...others.map(({ lost, of }) => lost / of)));
  const tooMany = k / n > together + beyond && atLeast(k, n, Math.min(1, together)) < doubt;
  return without < doubt && !tooMany ? 'confirmed' : 'inconclusive';
}

/** How long the train before waits for the last packets: longer only while they are missing. */
export const firstWaitMs = 30;

const share = (runs: readonly Run[]) => Math.max(0, ...runs.map((r) => (losses(r).of === 0 ? 0 : losses(r).lost / losses(r).of)));
const latestMs = (runs: readonly Run[]) => Math.max(0, ...runs.map((r) => (r.train.delay_us?.max ?? 0) / 1000));

/**
 * How long to wait for the packets of the train before, if it is to be sent again; null: it will do. What is missing without the fault may be late, since another fault delays or limits what leaves the node (delays go up to 10 s). Where
 * nothing passes in either direction it is a cut, for which nobody waits that long.
 */
export function longerWait(before: readonly Run[], waitedMs: number): number | null {
  const outs = before.filter((r) => r.role === 'out');
  const missing = share(outs);
  if (missing <= 0.02 || outs.some((r) => r.train.error !== undefined)) return null;
  if (waitedMs < 400) return 400;
  if (waitedMs < 2500) return missing > 0.5 || latestMs(outs) > waitedMs / 2 ? 2500 : null;
  const passesIn = before.some((r) => r.role === 'in' && r.train.received > 0);
  return waitedMs < 10_300 && missing > 0.5 && passesIn ? 10_300 : null;
}

/** How long the train after has to wait so that what is only late is not taken for lost. */
export function waitAfter(before: readonly Run[]): number {
  return firstWaitMs + Math.ceil(1.5 * latestMs(before.filter((r) => r.role !== 'in')));
}
