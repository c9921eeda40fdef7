import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appFor, notFound, scripted } from './scripted.ts';
import { type Found, faults, refused, willing } from './willing.ts';

describe('bad queries are told why', () => {
  const cases: [string, Found[]][] = [
    ['/v1/subjects/etcd/health?wait=ready', [{ in: 'query', path: 'wait', reason: 'must be one of healthy', allowed: ['healthy'] }]],
    ['/v1/subjects/etcd/health?fresh=maybe', [{ in: 'query', path: 'fresh', reason: 'must be a boolean', allowed: { type: 'boolean' } }]],
    [
      '/v1/subjects/etcd/health?timeout=5',
      [{ in: 'query', path: 'timeout', reason: 'is not a known field', allowed: ['fresh', 'wait', 'timeout_ms'] }],
    ],
    [
      '/v1/subjects/etcd/faults?limit=501',
      [{ in: 'query', path: 'limit', reason: 'must be <= 500 (from 1 to 500)', allowed: { minimum: 1, maximum: 500 } }],
    ],
    [
      '/v1/subjects/etcd/faults?limit=many',
      [
        {
          in: 'query',
          path: 'limit',
          reason: 'must be an integer (from 1 to 500)',
          allowed: { type: 'integer', minimum: 1, maximum: 500 },
        },
      ],
    ],
    ['/v1/subjects/etcd/state?verbose=1', [{ in: 'query', path: 'verbose', reason: 'is not a known field', allowed: [] }]],
    [
      '/v1/operations/op_1?wait_ms=-1',
      [{ in: 'query', path: 'wait_ms', reason: 'must be >= 0 (from 0 to 600000)', allowed: { minimum: 0, maximum: 600_000 } }],
    ],
  ];
  for (const [url, errors] of cases) {
    test(url, async (t) => {
      const control = willing();
      assert.deepEqual(await refused(await appFor(t, control), 'GET', url), errors);
      assert.deepEqual(control.calls, []);
    });
  }

  test('a parameter given twice is refused', async (t) => {
    const [error] = await refused(await appFor(t, willing()), 'GET', '/v1/subjects/etcd/faults?limit=1&limit=2');
    assert.equal(error?.path, 'limit');
  });

  test('a heal-all that somebody meant to narrow is refused, by query and by body', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    await refused(app, 'DELETE', `${faults}?chaos_type=latency`);
    await refused(app, 'DELETE', faults, { chaos_type: 'latency' });
    assert.deepEqual(control.calls, []);
  });

  test('numbers and booleans are read from the text of a query', async (t) => {
    const seen: unknown[] = [];
    const app = await appFor(
      t,
      scripted({
        health: (...args) => {
          seen.push(args.slice(0, 2));
          return notFound();
        },
      }),
    );
    await app.inject('/v1/subjects/etcd/health?fresh=true&wait=healthy&timeout_ms=1500');
    await app.inject('/v1/subjects/etcd/health?fresh=false');
    assert.deepEqual(seen, [
      ['etcd', { fresh: true, wait: true, timeoutMs: 1500 }],
      ['etcd', { fresh: false }],
    ]);
  });
});
