/** What is told of one series of measurements, in the unit of the samples. */
export interface Summary {
  n: number;
  p50: number;
  p95: number;
  p99: number;
  min: number;
  max: number;
  mean: number;
}

/**
 * The nearest-rank percentile: the smallest sample that at least `percent` of all samples do not exceed. Always a value that was measured, so with
 * few samples a high percentile is the worst one. Throws for an empty series and for a percentage outside 0 to 100.
 */
export function percentile(samples: readonly number[], percent: number): number {
  if (!(percent >= 0 && percent <= 100)) throw new RangeError(`${percent} is no percentage`);
  if (samples.some((sample) => !Number.isFinite(sample))) throw new RangeError('a sample is not a number');
  const sorted = [...samples].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (found === undefined) throw new RangeError('there are no samples');
  return found;
}

/** Throws for an empty series. */
export function summarize(samples: readonly number[]): Summary {
  const at = (percent: number) => percentile(samples, percent);
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  return { n: samples.length, p50: at(50), p95: at(95), p99: at(99), min: at(0), max: at(100), mean };
}

export interface Ratios {
  p50: number;
  p95: number;
  mean: number;
}

/** How many times longer `slow` takes than `fast`, at the same percentile of each and on average. */
export function ratios(slow: Summary, fast: Summary): Ratios {
  return { p50: ratio(slow.p50, fast.p50), p95: ratio(slow.p95, fast.p95), mean: ratio(slow.mean, fast.mean) };
}

/** Throws when there is nothing to divide by. */
export function ratio(slow: number, fast: number): number {
  if (!(fast > 0)) throw new RangeError(`cannot divide by ${fast}`);
  return slow / fast;
}

/** The samples of equal names beside each other: `[{a: 1}, {a: 2}]` to `{a: [1, 2]}`, names in the order of their first coming. */
export function columns(rows: readonly Readonly<Record<string, number>>[]): Record<string, number[]> {
  const byName: Record<string, number[]> = {};
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      const column = byName[name] ?? [];
      byName[name] = column;
      column.push(value);
    }
  }
  return byName;
}
