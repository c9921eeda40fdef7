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
    const names = fc.string({ minLength: 1, maxLength: 30 }).filter((name) => !known.includes(name));
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const [error] = await refused(app, 'POST', faults, { chaos_type: 'none', [name]: 1 });
        assert.equal(error?.path, `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
      }),
      { numRuns: 50 },
    );
  });

  test('a member that reaches for a prototype is refused by its path, like any that is not known', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    const unknown = (path: string, allowed?: string[]): Found => ({
      in: 'body',
      path,
      reason: 'is not a known field',
      ...(allowed === undefined ? {} : { allowed }),
    });
    const ofTarget = ['node', 'type', 'role', 'count', 'share'];
    const bodies: [string, string, Found[]][] = [
      [faults, '{"chaos_type":"none","__proto__":{}}', [unknown('/__proto__', known)]],
      [faults, '{"chaos_type":"none","__proto__":{"polluted":1}}', [unknown('/__proto__', known)]],
      [faults, '{"chaos_type":"none","\\u005f_proto__":5}', [unknown('/__proto__', known)]],
      [faults, '{"chaos_type":"none","constructor":{"prototype":{"polluted":1}}}', [unknown('/constructor', known)]],
      [faults, '{"chaos_type":"none","target":{"node":"a","__proto__":{}}}', [unknown('/target/__proto__', ofTarget)]],
      [faults, '{"chaos_type":"none","params":{"__proto__":{"polluted":1}}}', [unknown('/params/__proto__')]],
      [faults, '{"chaos_type":"none","params":{"a/b":[1,{"constructor":{"prototype":1}}]}}', [unknown('/params/a~1b/1/constructor')]],
      ['/v1/subjects/etcd/reset', '{"__proto__":{"timeout_ms":5000}}', [unknown('/__proto__', ['timeout_ms'])]],
      ['/v1/subjects', '{"kind":"etcd","__proto__":null}', [unknown('/__proto__', ['kind', 'name'])]],
      ['/v1/operations/op_1/cancel', '{"__proto__":{}}', [unknown('/__proto__', [])]],
    ];
    for (const [url, payload, errors] of bodies) {
      const reply = await app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } });
      assert.deepEqual([reply.statusCode, reply.json().code, reply.json().errors], [400, 'invalid_request', errors], payload);
      const { path } = errors[0] as Found;
      assert.ok(reply.json().detail.startsWith(`body ${path} is not a known field`), reply.json().detail);
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    assert.deepEqual(control.calls, []);
  });

  test('a body that is nested as deeply as it can be breaks nothing', async (t) => {
    const app = await appFor(t, willing());
    const deep = `{"chaos_type":"none","params":{"a":${'['.repeat(32_000)}{"__proto__":1}${']'.repeat(32_000)}}}`;
    for (const more of [{}, { 'idempotency-key': 'deep' }]) {
      const headers = { ...more, 'content-type': 'application/json' };
      const reply = await app.inject({ method: 'POST', url: faults, payload: deep, headers });
      assert.deepEqual([reply.statusCode, reply.json().code], [400, 'invalid_request']);
      assert.match(reply.json().errors[0].reason, /nested deeper than 32 levels/);
    }
  });
});
