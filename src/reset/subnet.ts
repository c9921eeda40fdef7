import { createHash } from 'node:crypto';

/** An IPv4 range: first address as a number, and prefix length. */
export interface Range {
  first: number;
  bits: number;
}

/** Reads `10.1.2.0/24`; null when it is no IPv4 range. Host bits are cleared. */
export function parseRange(text: string): Range | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return null;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((n) => n > 255) || bits > 32) return null;
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return { first: Math.floor(address / size) * size, bits };
}

export function formatAddress(n: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join('.');
}

export function overlaps(a: Range, b: Range): boolean {
  return a.first < b.first + 2 ** (32 - b.bits) && b.first < a.first + 2 ** (32 - a.bits);
}

/**
 * A /24 of the pool that overlaps nothing taken. Starts looking at a place that the name decides, so that the same network gets the same addresses at
 * each reset as long as nobody else took them. Null when the pool is full.
 */
export function chooseSubnet(pool: Range, name: string, taken: readonly Range[]): string | null {
  const count = 2 ** (24 - pool.bits);
  const start = createHash('sha256').update(name).digest().readUInt32BE(0) % count;
  for (let i = 0; i < count; i++) {
    const candidate: Range = { first: pool.first + ((start + i) % count) * 256, bits: 24 };
    if (!taken.some((t) => overlaps(t, candidate))) return `${formatAddress(candidate.first)}/24`;
  }
  return null;
}

/**
 * Addresses for members, by name, in the upper half of the subnet: the engine gives addresses that nobody asked for from the bottom, so the
 * two do not meet. Members that the subnet has no room for get none.
 */
export function pinAddresses(subnet: string, members: readonly string[], reserved: readonly string[]): Map<string, string> {
  const range = parseRange(subnet);
  const pinned = new Map<string, string>();
  if (range === null || range.bits > 28) return pinned;
  const size = 2 ** (32 - range.bits);
  let next = range.first + size / 2;
  for (const member of members) {
    while (reserved.includes(formatAddress(next))) next++;
    if (next >= range.first + size - 1) break;
    pinned.set(member, formatAddress(next++));
  }
  return pinned;
}
