import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { appFor } from './scripted.ts';
import { type Found, faults, refused, willing } from './willing.ts';

const known = ['chaos_type', 'target', 'params', 'seed', 'ttl_ms', 'require_effect', 'on_target_restart', 'dry_run'];

describe('bad bodies change nothing and are told why', () => {
  const cases: [string, string, unknown, Found[]][] = [
    [
      'no chaos type',
      faults,
      {},
      [{ in: 'body', path: '/chaos_type', reason: 'is required', allowed: { type: 'string', minLength: 1, maxLength: 64 } }],
    ],
    [
      'an unknown field',
      faults,
      { chaos_type: 'none', sed: 7 },
      [{ in: 'body', path: '/sed', reason: 'is not a known field', allowed: known }],
    ],
    [
      'a number as text',
      faults,
      { chaos_type: 'none', seed: '7' },
      [
        {
          in: 'body',
          path: '/seed',
          reason: 'must be an integer (from 0 to 9007199254740991)',
          allowed: { type: 'integer', minimum: 0, maximum: 9007199254740991 },
        },
      ],
    ],
    [
      'a seed out of range',
      faults,
      { chaos_type: 'none', seed: -1 },
      [
        {
          in: 'body',
          path: '/seed',
          reason: 'must be >= 0 (from 0 to 9007199254740991)',
          allowed: { minimum: 0, maximum: 9007199254740991 },
        },
      ],
    ],
    [
      'a time to live of more than a day',
      faults,
      { chaos_type: 'none', ttl_ms: 86_400_001 },
      [{ in: 'body', path: '/ttl_ms', reason: 'must be <= 86400000 (from 1 to 86400000)', allowed: { minimum: 1, maximum: 86_400_000 } }],
    ],
    [
      'a word that is none of the allowed',
      faults,
      { chaos_type: 'none', on_target_restart: 'always' },
      [{ in: 'body', path: '/on_target_restart', reason: 'must be one of reapply, once', allowed: ['reapply', 'once'] }],
    ],
    [
      'a target without a name',
      faults,
      { chaos_type: 'none', target: { count: 1 } },
      [{ in: 'body', path: '/target', reason: 'must have exactly one of node, type, role', allowed: ['node', 'type', 'role'] }],
    ],
    [
      'a target with two names',
      faults,
      { chaos_type: 'none', target: { node: 'etcd0', type: 'etcd' } },
      [{ in: 'body', path: '/target', reason: 'must have exactly one of node, type, role', allowed: ['node', 'type', 'role'] }],
    ],
    [
      'count and share',
      faults,
      { chaos_type: 'none', target: { type: 'etcd', count: 1, share: 'all' } },
      [{ in: 'body', path: '/target', reason: 'must not have count and share together' }],
    ],
    [
      'params that are no object',
      faults,
      { chaos_type: 'none', params: [] },
      [{ in: 'body', path: '/params', reason: 'must be an object', allowed: { type: 'object' } }],
    ],
    ['a list', faults, [], [{ in: 'body', path: '', reason: 'must be an object', allowed: { type: 'object' } }]],
    ['null', faults, null, [{ in: 'body', path: '', reason: 'must be an object', allowed: { type: 'object' } }]],
    [
      'a wrong unit',
      '/v1/subjects/etcd/reset',
      { timeout: 5 },
      [{ in: 'body', path: '/timeout', reason: 'is not a known field', allowed: ['timeout_ms'] }],
    ],
    [
      'a time that is too short',
      '/v1/subjects/etcd/reset',
      { timeout_ms: 5 },
      [{ in: 'body', path: '/timeout_ms', reason: 'must be >= 1000 (from 1000 to 600000)', allowed: { minimum: 1000, maximum: 600_000 } }],
    ],
    [
      'a fraction',
      '/v1/subjects/etcd/reset',
      { timeout_ms: 1000.5 },
      [
        {
          in: 'body',
          path: '/timeout_ms',
          reason: 'must be an integer (from 1000 to 600000)',
          allowed: { type: 'integer', minimum: 1000, maximum: 600_000 },
        },
      ],
    ],
    [
      'a name that no subject can have',
      '/v1/subjects',
      { kind: 'etcd', name: '../etc' },
      [
        {
          in: 'body',
          path: '/name',
          reason: 'must match ^[a-z0-9][a-z0-9_-]{0,39}$',
          allowed: { pattern: '^[a-z0-9][a-z0-9_-]{0,39}$' },
        },
      ],
    ],
  ];
  for (const [name, url, body, errors] of cases) {
    test(name, async (t) => {
      const control = willing();
      assert.deepEqual(await refused(await appFor(t, control), 'POST', url, body), errors);
      assert.deepEqual(control.calls, []);
    });
  }

  test('all that is wrong is told at once, in one sentence each', async (t) => {
    const app = await appFor(t, willing());
    const payload = { chaos_type: '', ttl_ms: 0, target: { node: 5, extra: 1 } };
    const reply = await app.inject({ method: 'POST', url: faults, payload });
    assert.deepEqual(
      reply
        .json()
        .errors.map((error: Found) => error.path)
        .sort(),
      ['/chaos_type', '/target/extra', '/target/node', '/ttl_ms'],
    );
    assert.match(reply.json().detail, /body \/target\/node must be a string \(1 to 128 characters\)\./);
  });

  test('any field that is not known is refused by its name', async (t) => {
    const app = await appFor(t, willing());
    const names = fc
      .string({ minLength: 1, maxLength: 30 })
      .filter((name) => !known.includes(name) && !['__proto__', 'constructor'].includes(name));
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const [error] = await refused(app, 'POST', faults, { chaos_type: 'none', [name]: 1 });
        assert.equal(error?.path, `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
      }),
      { numRuns: 50 },
    );
  });

  test('a body that reaches for the prototype is refused', async (t) => {
    const app = await appFor(t, willing());
    for (const payload of ['{"chaos_type":"none","__proto__":{"a":1}}', '{"chaos_type":"none","constructor":{"prototype":{}}}']) {
      const reply = await app.inject({ method: 'POST', url: faults, payload, headers: { 'content-type': 'application/json' } });
      assert.equal(reply.statusCode, 400);
      assert.equal(reply.json().code, 'invalid_request');
    }
  });
});
