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

  const integers: [string, string, string, object][] = [
    ['/v1/subjects/etcd/faults', 'limit', 'from 1 to 500', { minimum: 1, maximum: 500 }],
    ['/v1/subjects/etcd/captures', 'limit', 'from 1 to 500', { minimum: 1, maximum: 500 }],
    ['/v1/subjects', 'limit', 'from 1 to 500', { minimum: 1, maximum: 500 }],
    ['/v1/kinds', 'limit', 'from 1 to 500', { minimum: 1, maximum: 500 }],
    ['/v1/events', 'limit', 'from 1 to 1000', { minimum: 1, maximum: 1000 }],
    ['/v1/events', 'after', 'from 0 to 9007199254740991', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }],
    ['/v1/subjects/etcd/health', 'timeout_ms', 'from 0 to 600000', { minimum: 0, maximum: 600_000 }],
    ['/v1/operations/op_1', 'wait_ms', 'from 0 to 600000', { minimum: 0, maximum: 600_000 }],
  ];
  for (const [url, path, range, bounds] of integers) {
    test(`${url} ${path}: only decimal digits are an integer`, async (t) => {
      const control = willing();
      const app = await appFor(t, control);
      const allowed = { type: 'integer', ...bounds };
      for (const text of [
        '0x10',
        '0b1',
        '0o7',
        '%205',
        '5%20',
        '+5',
        '%2B5',
        '1e2',
        '5.0',
        '5.',
        '.5',
        '',
        '-',
        '-0',
        '%0a5',
        '1_0',
        '%D9%A5',
        'NaN',
        'null',
      ]) {
        const found = await refused(app, 'GET', `${url}?${path}=${text}`);
        assert.deepEqual(found, [{ in: 'query', path, reason: `must be an integer (${range})`, allowed }], text);
      }
      for (const text of ['-1', '99999999999999999999']) {
        const [error] = await refused(app, 'GET', `${url}?${path}=${text}`);
        assert.deepEqual([error?.path, error?.allowed], [path, bounds], text);
      }
      assert.deepEqual(control.calls, []);
    });
  }

  test('a cursor that no list of this kind gave is refused', async (t) => {
    const id = '01J8Z0V0M6C1X4W6S0F4JYQ3ZB';
    const name = '[a-z0-9][a-z0-9_-]{0,63}';
    const lists: [string, string, string[]][] = [
      [
        '/v1/subjects/etcd/faults',
        '^flt_[0-9A-HJKMNP-TV-Z]{26}$',
        ['kind:etcd', 'flt_1', id, `flt_${id}0`, `flt_${id.toLowerCase()}`, `op_${id}`],
      ],
      ['/v1/subjects', `^subject:${name}$`, ['kind:etcd', 'etcd', 'subject:', 'subject:Etcd', `subject:${'x'.repeat(65)}`]],
      ['/v1/kinds', `^kind:${name}$`, ['subject:etcd', 'etcd', 'kind:', 'kind:a/b']],
    ];
    const control = willing();
    const app = await appFor(t, control);
    for (const [url, pattern, others] of lists) {
      for (const cursor of ['zzz', 'abc', '0', '', '%00', ...others]) {
        const found = await refused(app, 'GET', `${url}?cursor=${cursor}`);
        assert.deepEqual(
          found,
          [{ in: 'query', path: 'cursor', reason: `must match ${pattern}`, allowed: { pattern } }],
          `${url} ${cursor}`,
        );
      }
    }
    assert.deepEqual(control.calls, []);
  });

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
