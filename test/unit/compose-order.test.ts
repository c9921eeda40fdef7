import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Project } from '../../src/compose/model.ts';
import { findCycle } from '../../src/compose/order.ts';
import { resolveYaml } from './compose-helpers.ts';

/** A project whose services depend on others by number, always lower ones: so without a cycle. */
function project(edges: number[][]): Promise<Project> {
  const services = Object.fromEntries(
    edges.map((targets, i) => [
      `s${i}`,
      { image: 'x', depends_on: i === 0 ? [] : [...new Set(targets.map((target) => `s${target % i}`))] },
    ]),
  );
  return resolveYaml(JSON.stringify({ services }));
}

const graphs = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 15 });

describe('findCycle', () => {
  it('finds none in a graph that has none', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (edges) => {
        const { services } = await project(edges);
        assert.equal(findCycle(new Map(services.map((s) => [s.name, s.dependsOn.map((d) => d.service)]))), null);
      }),
      { numRuns: 50 },
    );
  });

  it('answers a path whose every step, and the one back to its start, is an edge', () => {
    const graph = fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(graph, (targets) => {
        const edges = new Map(targets.map((to, i) => [String(i), to.map(String)]));
        const cycle = findCycle(edges);
        const hasCycle = reaches(edges);
        assert.equal(cycle !== null, hasCycle);
        cycle?.forEach((node, i) => {
          assert.ok(edges.get(node)?.includes(cycle[(i + 1) % cycle.length] ?? ''));
        });
      }),
    );
  });

  it('follows a long chain without running out of stack', () => {
    const long = new Map(Array.from({ length: 50_000 }, (_, i): [string, string[]] => [String(i), [String(i + 1)]]));
    assert.equal(findCycle(long), null);
  });
});

/** True when some node reaches itself: by closure, another way than the one under test. */
function reaches(edges: ReadonlyMap<string, readonly string[]>): boolean {
  return [...edges.keys()].some((start) => {
    const seen = new Set<string>();
    const open = [...(edges.get(start) ?? [])];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      open.push(...(edges.get(node) ?? []));
    }
    return seen.has(start);
  });
}
