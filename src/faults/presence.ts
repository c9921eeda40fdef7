import type { Residue } from './fault.ts';

/** What a fault has in force, by node: the rules, tables, qdiscs, files and limits that its audit finds while it is active. */
export type Presence = ReadonlyMap<string, ReadonlySet<string>>;

/** From what the audit of an active fault finds. */
export function presenceOf(found: readonly Residue[]): Presence {
  const presence = new Map<string, Set<string>>();
  for (const { node, what } of found) {
    const name = lasting(what);
    if (name !== null) presence.set(node, (presence.get(node) ?? new Set()).add(name));
  }
  return presence;
}

/** A name that other faults on the node and a restart of the toolbox do not change; null: without rules it does nothing (a queue, an empty chain). */
function lasting(what: string): string | null {
  if (what.startsWith('delay queue') || /-save[^:]*: :/.test(what)) return null;
  if (what.startsWith('ballast')) return 'ballast';
  // All faults of a node share one tree of qdiscs, which is made anew for each of them.
  return what.replace(/^qdisc .* on /, 'qdisc on ');
}

export interface Tampered {
  node: string;
  missing: string[];
}

/** What somebody took away since a fault was first looked at; `over` when nothing of it is in force any more. */
export function tampering(first: Presence, now: Presence): { tampered: Tampered[]; over: boolean } {
  const tampered = [...first].flatMap(([node, names]) => {
    const missing = [...names].filter((name) => now.get(node)?.has(name) !== true).sort();
    return missing.length === 0 ? [] : [{ node, missing }];
  });
  const left = [...first].some(([node, names]) => [...names].some((name) => now.get(node)?.has(name) === true));
  return { tampered, over: first.size > 0 && !left };
}
