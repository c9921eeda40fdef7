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
  const on = new Map([[start, 0]]);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const target = edges.get(top.node)?.[top.next];
    top.next += 1;
    if (target === undefined) {
      finished.add(top.node);
      on.delete(top.node);
      path.pop();
    } else if (!finished.has(target)) {
      const seen = on.get(target);
      if (seen !== undefined) return path.slice(seen).map((step) => step.node);
      on.set(target, path.length);
      path.push({ node: target, next: 0 });
    }
  }
  return null;
}
