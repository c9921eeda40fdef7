import type { Effect } from '../fault.ts';
import { together } from './together.ts';
import type { Run } from './trains.ts';

type Verdict = Effect['verdict'];

/** Packets that must have arrived before and after for their delay to mean anything. */
const enough = 8;

/**
 * Did delays of `minMs` to `maxMs` take hold on packets out of a target? `before` and `after` are runs of the same pairs. What the host itself adds under load is seen by the control pair and taken off. A real
 * delay lets no packet through faster than `minMs`, so the quickest one has to bear it out.
 */
export function judgeDelay(before: readonly Run[], after: readonly Run[], { minMs, maxMs }: { minMs: number; maxMs: number }): Verdict {
  const outs = before.map((run, i) => ({ before: run, after: after[i] })).filter((p) => p.before.role === 'out');
  const control = shift(before, after, 'control') ?? 0;
  const verdicts = outs.map(({ before: b, after: a }) => judgeOne(b, a, { minMs, maxMs }, Math.max(0, control)));
  return together(verdicts);
}

function judgeOne(before: Run, after: Run | undefined, asked: { minMs: number; maxMs: number }, hostMs: number): Verdict {
  const [b, a] = [before.train.delay_us, after?.train.delay_us ?? null];
  if (b === null || a === null || after === undefined || before.train.received < enough || after.train.received < enough)
    return 'inconclusive';
  const mean = (asked.minMs + asked.maxMs) / 2;
  const shiftMs = (a.p50 - b.p50) / 1000 - hostMs;
  const quickest = a.min / 1000;
  if (quickest >= 0.9 * asked.minMs && shiftMs >= 0.5 * mean) return 'confirmed';
  // Less than a quarter of it, on a host that is not itself slower than what was asked: it is not there.
  if (shiftMs < 0.25 * mean && hostMs < mean) return 'not_observed';
  if (quickest < 0.5 * asked.minMs && hostMs < mean) return 'not_observed';
  return 'inconclusive';
}

/** Shift of the median in milliseconds, of the first pair of a role. */
function shift(before: readonly Run[], after: readonly Run[], role: Run['role']): number | null {
  const i = before.findIndex((r) => r.role === role);
  const [b, a] = [before[i]?.train.delay_us, after[i]?.train.delay_us];
  return b == null || a == null ? null : (a.p50 - b.p50) / 1000;
}
