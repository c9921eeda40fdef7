const origin = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** Wall clock in nanoseconds since the epoch. */
export function nowNs() {
  const precise = origin + process.hrtime.bigint();
  const coarse = BigInt(Date.now()) * 1_000_000n;
  // The wall clock was set, or the process was frozen: believe the wall clock.
  return precise - coarse > 5_000_000n || coarse - precise > 5_000_000n ? coarse : precise;
}

/** RFC 3339 with up to nine decimals and no trailing zeros, as Go writes it. */
export function rfc3339Nano(ns) {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = String(ns % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** `1h2m3.5s` in nanoseconds, or null. */
export function parseGoDuration(text) {
  const unit = { ms: 1_000_000, s: 1_000_000_000, m: 60_000_000_000, h: 3_600_000_000_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return null;
  return parts.reduce((sum, [, amount, name]) => sum + BigInt(Math.round(Number(amount) * unit[name])), 0n);
}

/** `1h2m3.5s` of nanoseconds. */
export function goDuration(ns) {
  const seconds = Number(ns) / 1e9;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Number((seconds % 60).toFixed(9));
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${rest}s`;
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
