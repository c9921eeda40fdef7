import type { Residue } from './fault.ts';

/** What there is of an active fault, by node: the rules, tables, qdiscs, files, limits and queues that its audit finds. */
export type Presence = ReadonlyMap<string, ReadonlySet<string>>;

/** From what the audit of an active fault finds. */
export function presenceOf(found: readonly Residue[]): Presence {
  const presence = new Map<string, Set<string>>();
  for (const { node, what } of found) presence.set(node, (presence.get(node) ?? new Set()).add(lasting(what)));
  return presence;
}

/** A name that other faults on the node and a restart of the toolbox do not change. */
function lasting(what: string): string {
  if (what.startsWith('ballast')) return 'ballast';
  // All faults of a node share one tree of qdiscs, which is made anew for each of them.
  return what.replace(/^qdisc .* on /, 'qdisc on ');
}

/** A queue that no rule fills and a chain that has no rules do nothing. */
const inForce = (name: string): boolean => !name.startsWith('delay queue') && !/-save[^:]*: :/.test(name);

export interface Tampered {
  node: string;
  missing: string[];
}

/**
 * What somebody took away of a fault, compared with what there was of it at first at the nodes where it is to be; `over` when nothing of it is in force any more. A node that had nothing at
 * first had lost it already.
 */
export function tampering(
  nodes: readonly string[],
  first: Presence,
  now: Presence,
): { tampered: Tampered[]; whole: string[]; over: boolean } {
  const tampered = nodes.flatMap((node) => {
    const had = first.get(node) ?? new Set();
    const missing = had.size === 0 ? ['everything'] : [...had].filter((name) => now.get(node)?.has(name) !== true).sort();
    return missing.length === 0 ? [] : [{ node, missing }];
  });
  const left = nodes.some((node) => [...(now.get(node) ?? [])].some(inForce));
  const whole = nodes.filter((node) => !tampered.some((t) => t.node === node));
  return { tampered, whole, over: nodes.length > 0 && !left };
}
