import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChaosType } from '../../src/faults/chaos_type.ts';
import { checkParams } from '../../src/faults/params.ts';
import { chaosType, generalTypes } from '../../src/faults/registry.ts';
import type { Scene, SceneNode } from '../../src/faults/scene.ts';
import { Problem } from '../../src/lib/problem.ts';
import { counterDrift } from '../../subjects/ratelimiter/drift.ts';
import { appFor, pending, scripted } from './scripted.ts';
import { strictlyCommitted } from './strict.ts';

interface Found {
  path: string;
  reason: string;
  allowed?: unknown;
}
type Params = Record<string, unknown>;

const type = (name: string) => chaosType({ chaosTypes: [counterDrift] }, name);
const node = (name: string) => ({ name, running: true, hostNetwork: false, bounded: [{ volume: 'v', path: '/data' }] });
const scene = { subject: 'trio', nodes: ['a', 'b', 'c'].map(node) as Partial<SceneNode>[] } as unknown as Scene;
const target = { node: 'a', container: 'trio-a-1', container_id: '1' };

async function problemOf(what: () => unknown): Promise<Problem> {
  try {
    await what();
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error;
  }
  throw new Error('it was taken');
}

/** All that the surface does not see: the parameters' schema, what the scene knows of them, and the plan. */
async function take(chaos: ChaosType, given: Params): Promise<void> {
  const params = checkParams(chaos, given);
  chaos.check(scene, params);
  await chaos.plan(scene, { fault: 'flt_1', targets: [target], params }, new AbortController().signal);
}

const percent = { exclusiveMinimum: 0, maximum: 100 };
const delay = { minimum: 0, maximum: 10_000 };
const cases: [string, Params, string, Found[]][] = [
  [
    'packet_loss',
    { percent: 101 },
    'params.percent: must be <= 100',
    [{ path: '/params/percent', reason: 'must be <= 100', allowed: percent }],
  ],
  ['packet_loss', { percent: 0 }, 'params.percent: must be > 0', [{ path: '/params/percent', reason: 'must be > 0', allowed: percent }]],
  [
    'packet_loss',
    { percent: '5' },
    'params.percent: must be a number',
    [{ path: '/params/percent', reason: 'must be a number', allowed: { type: 'number', ...percent } }],
  ],
  [
    'packet_loss',
    {},
    'params.percent: is required',
    [{ path: '/params/percent', reason: 'is required', allowed: { type: 'number', ...percent } }],
  ],
  [
    'latency',
    { 'inter/face': 'eth0', delay_ms: -1 },
    'params.inter/face: latency has no such parameter; params.delay_ms: must be >= 0 (from 0 to 10000)',
    [
      {
        path: '/params/inter~1face',
        reason: 'latency has no such parameter',
        allowed: ['min_ms', 'max_ms', 'delay_ms', 'jitter_ms', 'peers'],
      },
      { path: '/params/delay_ms', reason: 'must be >= 0 (from 0 to 10000)', allowed: delay },
    ],
  ],
  [
    'network_partition',
    { direction: 'up' },
    'params.direction: must be one of both, to, from',
    [{ path: '/params/direction', reason: 'must be one of both, to, from', allowed: ['both', 'to', 'from'] }],
  ],
  [
    'network_partition',
    { groups: [['a'], []] },
    'params.groups.1: must NOT have fewer than 1 items',
    [
      {
        path: '/params/groups/1',
        reason: 'must NOT have fewer than 1 items',
        allowed: { minItems: 1, maxItems: 100, uniqueItems: true },
      },
    ],
  ],
  [
    'counter_drift',
    { extra: 2.5 },
    'params.key: is required; params.extra: must be an integer (from 1 to 10000)',
    [
      { path: '/params/key', reason: 'is required', allowed: { type: 'string', minLength: 1, maxLength: 256 } },
      {
        path: '/params/extra',
        reason: 'must be an integer (from 1 to 10000)',
        allowed: { type: 'integer', minimum: 1, maximum: 10_000 },
      },
    ],
  ],
  // What only the scene can tell.
  [
    'latency',
    { peers: ['z'] },
    'params.peers: trio has no node z.',
    [{ path: '/params/peers', reason: 'trio has no node z', allowed: ['a', 'b', 'c'] }],
  ],
  ['latency', { jitter_ms: 1 }, 'params.jitter_ms: it needs delay_ms.', [{ path: '/params/jitter_ms', reason: 'it needs delay_ms' }]],
  [
    'latency',
    { delay_ms: 0 },
    'params: a delay of nothing is the chaos type none.',
    [{ path: '/params', reason: 'a delay of nothing is the chaos type none' }],
  ],
  [
    'network_partition',
    { groups: [['a'], ['z']] },
    'params.groups.1: trio has no node z.',
    [{ path: '/params/groups/1', reason: 'trio has no node z', allowed: ['a', 'b', 'c'] }],
  ],
  [
    'network_partition',
    { groups: [['a'], ['b', 'a']] },
    'params.groups: a is in two groups.',
    [{ path: '/params/groups', reason: 'a is in two groups' }],
  ],
  [
    'disk_pressure',
    { path: '/tmp' },
    'params.path: /tmp is not on a volume of limited size of a; filling it would fill the host.',
    [
      {
        path: '/params/path',
        reason: '/tmp is not on a volume of limited size of a; filling it would fill the host',
        allowed: ['/data'],
      },
    ],
  ],
];

describe('parameters that cannot be are told as any other member of the body is', () => {
  const check = strictlyCommitted();

  for (const [name, params, detail, errors] of cases) {
    test(`${name} ${JSON.stringify(params)}`, async () => {
      const problem = await problemOf(() => take(type(name), params));
      assert.deepEqual([problem.code, problem.message], ['invalid_request', detail]);
      assert.deepEqual(
        problem.extra.errors,
        errors.map((error) => ({ in: 'body', ...error })),
      );
      check('Problem', problem.toBody());
    });
  }

  test('every parameter of every type, given as what it cannot be, is named with what it may be', async () => {
    for (const chaos of [...generalTypes, type('counter_drift')]) {
      const names = Object.keys((chaos.paramsSchema.properties ?? {}) as object);
      const problem = await problemOf(() => checkParams(chaos, { ...Object.fromEntries(names.map((n) => [n, null])), nonsense: 1 }));
      const errors = problem.extra.errors as Found[];
      for (const one of [...names, 'nonsense']) {
        const error = errors.find(({ path }) => path === `/params/${one}`);
        assert.ok(error?.allowed !== undefined, `${chaos.name} ${one}: ${JSON.stringify(errors)}`);
      }
      check('Problem', problem.toBody());
    }
  });

  test('and leaves the service like that', async (t) => {
    const app = await appFor(
      t,
      scripted({
        inject: (_subject, { params }) => {
          checkParams(type('packet_loss'), params ?? {});
          return pending();
        },
      }),
    );
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/subjects/etcd/faults',
      payload: { chaos_type: 'packet_loss', params: { percent: 101 } },
    });
    assert.deepEqual([reply.statusCode, reply.headers['content-type']], [400, 'application/problem+json']);
    assert.deepEqual(reply.json().errors, [{ in: 'body', path: '/params/percent', reason: 'must be <= 100', allowed: percent }]);
    check('Problem', reply.json());
  });
});
