import type { Effect } from '../fault.ts';
import { together } from './together.ts';
import type { Pair, Run, TrainShape } from './trains.ts';

/** What a packet weighs on the wire beyond the train's payload: Ethernet, IPv4 and UDP headers, which the rate limit counts. */
const headerBytes = 42;
const trainSeconds = 0.08;
/** The limit lets a first burst through at once (5,000 bytes, or 10 ms of the rate); half a train must be larger than it. */
const leastBytes = 16_000;
/** Faster than this user space cannot pace a train. */
export const highestKbit = 400_000;

/** A train at twice the asked rate: without the limit it passes as it is, with it half as fast. */
export function rateTrain(rateKbit: number): TrainShape {
  const bytes = Math.max(leastBytes, (2 * rateKbit * 1000 * trainSeconds) / 8);
  const size = Math.max(120, Math.min(1400, Math.round(bytes / 40)));
  const count = Math.max(16, Math.min(4000, Math.round(bytes / (size + headerBytes))));
  const interval_us = Math.max(5, Math.round(((size + headerBytes) * 8 * 1000) / (2 * rateKbit)));
  return { count, interval_us, size, wait_ms: Math.min(8000, 300 + Math.round((count * (size + headerBytes) * 8) / rateKbit)) };
}

/**
 * The rate on the wire of a train's second half: the first holds the burst that a limit lets through at once. Packets leave one after the other and at even times, so that their delays say when
 * each came; when some were lost, only the rate of the whole train is known.
 */
export function wireKbit(run: Run, { size, interval_us }: Pick<TrainShape, 'size' | 'interval_us'>): number | null {
  const { delays_us, sent, received, rate_kbit } = run.train;
  const half = Math.floor(received / 2);
  if (received < sent || received < 8) return rate_kbit === null ? null : (rate_kbit * (size + headerBytes)) / size;
  const arrival = (i: number) => i * interval_us + (delays_us[i] ?? 0);
  const tookUs = arrival(received - 1) - arrival(half);
  return tookUs <= 0 ? null : ((received - 1 - half) * (size + headerBytes) * 8 * 1000) / tookUs;
}

/** Two trains at once cannot be paced faster than this. */
const highestBesideKbit = 50_000;

/** Which pairs are measured: out of the targets and, where the train can be paced beside them, between two nodes that are not touched. A loopback has no rate to compare with. */
export function ratePairs(pairs: readonly Pair[], rateKbit: number): Pair[] {
  return pairs.filter((p) => p.role === 'out' || (p.role === 'control' && p.from !== p.to && rateKbit <= highestBesideKbit));
}

/** With one control at most: one that passed the train before. */
export function withControl(before: readonly Run[], rateKbit: number, shape: Pick<TrainShape, 'size' | 'interval_us'>): Run[] {
  const kept = before.find((r) => r.role === 'control' && (wireKbit(r, shape) ?? 0) >= fast * rateKbit);
  return before.filter((r) => r.role !== 'control' || r === kept);
}

/** What passes the train passes this many times the rate asked for. */
const fast = 1.5;

/** Did the rate out of a target fall to what was asked? Only if the same train went clearly faster before, and the control's, where there is one, still does. */
export function judgeRate(
  before: readonly Run[],
  after: readonly Run[],
  rateKbit: number,
  shape: Pick<TrainShape, 'size' | 'interval_us'>,
): Effect['verdict'] {
  const control = after.find((_, i) => before[i]?.role === 'control');
  const hostIsSlow = control !== undefined && (wireKbit(control, shape) ?? 0) < fast * rateKbit;
  const verdicts = before.flatMap((b, i): Effect['verdict'][] => {
    const a = after[i];
    if (b.role !== 'out' || a === undefined) return [];
    const [was, is] = [wireKbit(b, shape), wireKbit(a, shape)];
    if (was === null || is === null || was < fast * rateKbit) return ['inconclusive'];
    if (is <= 1.25 * rateKbit && is >= 0.5 * rateKbit) return [hostIsSlow ? 'inconclusive' : 'confirmed'];
    // A receiver that lagged on a busy host gets the second half in a heap: only a whole train that was too fast says that the limit is not there.
    const whole = ((a.train.rate_kbit ?? 0) * (shape.size + headerBytes)) / shape.size;
    return [is > 1.4 * rateKbit && whole > 1.4 * rateKbit ? 'not_observed' : 'inconclusive'];
  });
  return together(verdicts);
}
