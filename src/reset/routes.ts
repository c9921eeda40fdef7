import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { parseRange, type Range } from './subnet.ts';

/** Ranges this host already routes, so that a subject's network does not hide them. */
export async function hostRanges(): Promise<Range[]> {
  const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).flatMap((i) => parseRange(i.cidr ?? '') ?? []));
  return [...own, ...parseRoutes(await readFile('/proc/net/route', 'utf8'))];
}

/** Reads the kernel's table (`/proc/net/route`: little-endian hex); the default route is no range. */
export function parseRoutes(table: string): Range[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.split('\t');
      const destination = swap(fields[1] ?? '');
      const mask = swap(fields[7] ?? '');
      if (destination === null || mask === null || mask === 0) return [];
      return [{ first: destination, bits: mask.toString(2).replaceAll('0', '').length }];
    });
}

function swap(hex: string): number | null {
  if (!/^[0-9A-F]{8}$/i.test(hex)) return null;
  return Buffer.from(hex, 'hex').readUInt32LE(0);
}
