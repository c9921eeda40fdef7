import type { Train } from '../../toolbox/protocol.ts';
import type { Effect } from '../fault.ts';
import { together } from './together.ts';
import type { Run } from './trains.ts';

type Verdict = Effect['verdict'];
type Delays = NonNullable<Train['delay_us']>;

interface Asked {
  minMs: number;
  maxMs: number;
}

/** What the control pair says of the host, in milliseconds: how much later it let its packets through than before, and how unevenly. */
interface Host {
  quickest: number;
  median: number;
  spread: number;
}

/** Packets that must have arrived before and after for their delay to mean anything. */
export const enough = 8;

/** A shift that is smaller than this is a host's own: of every single packet, or of the middle one alone. */
const visibleMs = { every: 1, middle: 2 };

/**
 * Did delays of `minMs` to `maxMs` take hold on packets out of a target? `before` and `after` are runs of the same pairs, and each pair is compared with itself: it may have been slow before, by another fault. What the host itself adds under
 * load is seen by the control pair and taken off. A real delay lets no packet through faster than `minMs`, so the quickest one has to bear it out; and the shift must be more than the host is seen to do by itself, else it is inconclusive.
 */
export function judgeDelay(before: readonly Run[], after: readonly Run[], asked: Asked): Verdict {
  const host = hostOf(before, after);
  const outs = before.flatMap((run, i) => (run.role === 'out' ? [{ before: run, after: after[i] }] : []));
  return together(outs.map((pair) => (host === null ? 'inconclusive' : judgeOne(pair.before, pair.after, asked, host))));
}

function judgeOne(before: Run, after: Run | undefined, { minMs, maxMs }: Asked, host: Host): Verdict {
  const [b, a] = [before.train.delay_us, after?.train.delay_us ?? null];
  if (b === null || a === null || after === undefined || before.train.received < enough || after.train.received < enough)
    return 'inconclusive';
  const mean = (minMs + maxMs) / 2;
  const noise = Math.max(spread(b), host.spread);
  const quickest = (a.min - b.min) / 1000 - host.quickest;
  const shift = (a.p50 - b.p50) / 1000 - host.median;
  const visible = Math.max(quickest >= visibleMs.every ? visibleMs.every : visibleMs.middle, 1.5 * noise);
  // Much later than the longest delay is somebody else's queue.
  const latest = maxMs + Math.max(20, 0.5 * maxMs) + noise;
  if (quickest >= 0.9 * minMs && quickest <= latest && shift >= Math.max(0.5 * mean, visible)) return 'confirmed';
  // It is not there if it would be seen, on a host that is not itself slower than what was asked, and packets come earlier than it lets them.
  if (mean < visibleMs.every || host.median >= mean) return 'inconclusive';
  if (a.min / 1000 < 0.5 * minMs) return 'not_observed';
  return mean >= 1.5 * noise && shift < 0.25 * mean && a.p50 / 1000 < 0.5 * mean ? 'not_observed' : 'inconclusive';
}

/** Null: nothing of the control arrived now, so that nobody knows. Without a control the host is taken to be idle. */
function hostOf(before: readonly Run[], after: readonly Run[]): Host | null {
  const i = before.findIndex((r) => r.role === 'control');
  const [b, a] = [before[i]?.train.delay_us ?? null, after[i]?.train.delay_us ?? null];
  if (i === -1) return { quickest: 0, median: 0, spread: 0 };
  if (b === null || a === null) return null;
  return {
    quickest: Math.max(0, (a.min - b.min) / 1000),
    median: Math.max(0, (a.p50 - b.p50) / 1000),
    spread: Math.max(spread(b), spread(a)),
  };
}

function spread({ p50, p95 }: Delays): number {
  return (p95 - p50) / 1000;
}
