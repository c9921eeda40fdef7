import type { Remnant } from './fault.ts';

/** What there is of an active fault, by node and name: rules, tables, qdiscs, files, limits and queues; whether they are in force. */
export type Presence = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

/** Of things that share a name one in force is enough. */
export function presenceOf(found: readonly Remnant[]): Presence {
  const presence = new Map<string, Map<string, boolean>>();
  for (const { node, name, inForce } of found) {
    const named = presence.get(node) ?? new Map<string, boolean>();
    presence.set(node, named.set(name, inForce || named.get(name) === true));
  }
  return presence;
}

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
    const had = [...(first.get(node)?.keys() ?? [])];
    const missing = had.length === 0 ? ['everything'] : had.filter((name) => now.get(node)?.has(name) !== true).sort();
    return missing.length === 0 ? [] : [{ node, missing }];
  });
  const left = nodes.some((node) => [...(now.get(node)?.values() ?? [])].includes(true));
  const whole = nodes.filter((node) => !tampered.some((t) => t.node === node));
  return { tampered, whole, over: nodes.length > 0 && !left };
}
