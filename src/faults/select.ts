import { createHash } from 'node:crypto';
import { Problem } from '../lib/problem.ts';
import type { Selection } from './fault.ts';

/** Whom a request wants to hit. Exactly one of node, type and role; `count` and `share` say how many of them. */
export interface TargetRequest {
  node?: string;
  type?: string;
  role?: string;
  count?: number;
  share?: Share;
}

export type Share = 'one' | 'minority' | 'majority' | 'all';

/** How many of `total` a share means. A minority of a group of two or fewer is nobody. */
export function shareCount(share: Share, total: number): number {
  switch (share) {
    case 'one':
      return 1;
    case 'minority':
      return Math.floor((total - 1) / 2);
    case 'majority':
      return Math.floor(total / 2) + 1;
    case 'all':
      return total;
  }
}

/**
 * Draws `count` candidates by `sha256-v1`: SHA-256 of the UTF-8 JSON text `[seed,draw,candidates]` without spaces, draws counted from 0, the
 * candidates sorted by code point; the first 8 bytes as a big-endian number modulo their count is the index of the chosen one, which leaves the list.
 * The order in which candidates are given does not matter.
 */
export function draw(seed: number, candidates: readonly string[], count: number): { chosen: string[]; selection: Selection } {
  const sorted = [...candidates].sort(byCodePoint);
  if (count > sorted.length)
    throw new Problem('no_candidate', `${count} nodes were asked for, ${sorted.length} can be the target.`, { candidates: sorted });
  const left = [...sorted];
  const chosen: string[] = [];
  const draws: number[] = [];
  for (let n = 0; n < count; n++) {
    const digest = createHash('sha256')
      .update(JSON.stringify([seed, n, left]), 'utf8')
      .digest();
    const index = Number(digest.readBigUInt64BE(0) % BigInt(left.length));
    draws.push(index);
    chosen.push(...left.splice(index, 1));
  }
  return { chosen, selection: { candidates: sorted, algorithm: 'sha256-v1', draws } };
}

/** Order by Unicode code point; JavaScript's own compares UTF-16 units, which differs beyond the basic plane. */
export function byCodePoint(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
