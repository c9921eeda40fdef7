import type { Dependency, Service } from './model.ts';

/** One service that waits for another, and for what. */
export interface Wait {
  waiter: string;
  condition: Dependency['condition'];
}

/**
 * Names of the services in layers: all that a service depends on is in earlier layers, and each layer keeps the order of the input.
 * Dependencies on services outside the list are passed over. Throws an Error on a cycle, which a resolved project never has.
 */
export function startLayers(services: readonly Service[]): string[][] {
  const names = new Set(services.map((service) => service.name));
  const layers: string[][] = [];
  const placed = new Set<string>();
  while (placed.size < names.size) {
    const ready = services.filter((s) => !placed.has(s.name) && s.dependsOn.every((d) => placed.has(d.service) || !names.has(d.service)));
    if (ready.length === 0) throw new Error('the services depend on each other in a cycle');
    for (const service of ready) placed.add(service.name);
    layers.push(ready.map((service) => service.name));
  }
  return layers;
}

/** Who waits for each service: a key for every service of the list, in its order. */
export function waiters(services: readonly Service[]): Map<string, Wait[]> {
  const waits = new Map<string, Wait[]>(services.map((service) => [service.name, []]));
  for (const { name, dependsOn } of services) {
    for (const { service, condition } of dependsOn) waits.get(service)?.push({ waiter: name, condition });
  }
  return waits;
}

/** The first cycle of a graph as the names along it, or null; each node only once, the edge back to the first is implied. */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | null {
  const finished = new Set<string>();
  for (const start of edges.keys()) {
    const cycle = cycleFrom(start, edges, finished);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** Depth first without recursion, so that a long chain is no problem. */
function cycleFrom(start: string, edges: ReadonlyMap<string, readonly string[]>, finished: Set<string>): string[] | null {
  const path: { node: string; next: number }[] = [{ node: start, next: 0 }];
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const target = edges.get(top.node)?.[top.next];
    top.next += 1;
    if (target === undefined) {
      finished.add(top.node);
      path.pop();
    } else if (!finished.has(target)) {
      const seen = path.findIndex((step) => step.node === target);
      if (seen >= 0) return path.slice(seen).map((step) => step.node);
      path.push({ node: target, next: 0 });
    }
  }
  return null;
}
