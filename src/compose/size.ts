const factors: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4, p: 1024 ** 5 };

/** Bytes of a size text such as `64m`, `1.5GiB` or `1024`; units are powers of 1024, in either case. Null when it is none. */
export function parseSize(text: string): number | null {
  const found = /^([0-9]+(?:\.[0-9]+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (!found) return null;
  const bytes = Math.trunc(Number(found[1]) * (factors[(found[2] ?? '').toLowerCase()] ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : null;
}
