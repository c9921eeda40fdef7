const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Nanoseconds since the epoch of an RFC 3339 time with up to nine decimals, as PD writes them; null when it is none. */
export function nanoseconds(rfc3339: string): bigint | null {
  const [, seconds, fraction = '', zone] = pattern.exec(rfc3339) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Whole milliseconds from then to now; negative when the clocks disagree. */
export function ageMs(ns: bigint, nowMs: number): number {
  return nowMs - Number(ns / 1_000_000n);
}

/** `23.4 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
