import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Project } from '../../src/compose/model.ts';
import { findCycle, startLayers, waiters } from '../../src/compose/order.ts';
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

describe('start layers', () => {
  it('put independent services side by side and dependents behind them', async () => {
    const { services } = await resolveYaml(
      'services: {web: {image: x, depends_on: [app, cache]}, app: {image: x, depends_on: [db]}, db: {image: x}, cache: {image: x}}',
    );
    assert.deepEqual(startLayers(services), [['db', 'cache'], ['app'], ['web']]);
  });

  it('hold every service once, behind all it depends on', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (edges) => {
        const { services } = await project(edges);
        const layers = startLayers(services);
        const layerOf = new Map(layers.flatMap((names, i) => names.map((name): [string, number] => [name, i])));
        assert.deepEqual([...layerOf.keys()].sort(), services.map((s) => s.name).sort());
        for (const { name, dependsOn } of services) {
          const own = layerOf.get(name) ?? -1;
          for (const { service } of dependsOn) assert.ok((layerOf.get(service) ?? Number.POSITIVE_INFINITY) < own);
          assert.equal(own, dependsOn.length === 0 ? 0 : 1 + Math.max(...dependsOn.map((d) => layerOf.get(d.service) ?? 0)));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('pass over dependencies on services that are not there', async () => {
    const { services } = await project([[], [0]]);
    assert.deepEqual(startLayers(services.slice(1)), [['s1']]);
  });

  it('refuse a cycle', async () => {
    const { services } = await project([[], [0]]);
    const [first, second] = services;
    assert.ok(first && second);
    const looped = [{ ...first, dependsOn: [{ service: 's1', condition: 'service_started' as const, required: true }] }, second];
    assert.throws(() => startLayers(looped), /cycle/);
  });
});

describe('waiters', () => {
  it('are who waits for a service, and for what', async () => {
    const { services } = await resolveYaml(
      'services: {db: {image: x}, web: {image: x, depends_on: {db: {condition: service_healthy}}}, job: {image: x, depends_on: [db]}}',
    );
    assert.deepEqual(
      [...waiters(services)],
      [
        [
          'db',
          [
            { waiter: 'web', condition: 'service_healthy' },
            { waiter: 'job', condition: 'service_started' },
          ],
        ],
        ['web', []],
        ['job', []],
      ],
    );
  });
});

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
