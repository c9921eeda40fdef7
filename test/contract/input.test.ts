import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { appFor, listening, notFound, pending, scripted } from './scripted.ts';
import { strictlyCommitted } from './strict.ts';

interface Found {
  in: string;
  path: string;
  reason: string;
  allowed?: unknown;
}

/** A control that takes anything: only the surface stands between a bad request and a change. */
const willing = () =>
  scripted({
    createSubject: () => {
      throw new Error('reached');
    },
    reset: (name) => (name === 'etcd' ? pending() : notFound()),
    inject: () => pending(),
    healAll: () => pending(),
    heal: () => pending(),
    renewFault: notFound,
    health: notFound,
    faults: notFound,
    operation: notFound,
    subject: notFound,
  });

async function refused(app: FastifyInstance, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown): Promise<Found[]> {
  const reply = await app.inject({
    method,
    url,
    ...(body === undefined ? {} : { payload: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  assert.equal(reply.statusCode, 400, `${method} ${url} ${JSON.stringify(body)}: ${reply.body}`);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  const problem = reply.json();
  assert.equal(problem.code, 'invalid_request');
  inContract('Problem', problem);
  return problem.errors;
}

const inContract = strictlyCommitted();
const faults = '/v1/subjects/etcd/faults';
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

describe('the form of a body', () => {
  const post = (payload: string | Buffer, type?: string) => ({
    method: 'POST' as const,
    url: '/v1/subjects/etcd/reset',
    payload,
    headers: type === undefined ? {} : { 'content-type': type },
  });

  test('what is not JSON by its type is 415', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/jsonx', 'nonsense']) {
      const reply = await app.inject(post('{}', type));
      assert.equal(reply.statusCode, 415, type);
      assert.equal(reply.json().code, 'unsupported_media_type');
    }
    assert.equal((await app.inject(post('{}'))).statusCode, 415);
    assert.deepEqual(control.calls, []);
  });

  test('what is not JSON by its content is 400', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    for (const payload of ['{', '{"timeout_ms":}', 'null null', '   ', "{'a':1}", '\u0000']) {
      const reply = await app.inject(post(payload, 'application/json'));
      assert.equal(reply.statusCode, 400, payload);
      assert.equal(reply.json().errors[0].in, 'body');
    }
    assert.deepEqual(control.calls, []);
  });

  test('more than 64 KiB is 413', async (t) => {
    const app = await appFor(t, willing());
    const body = (size: number) => JSON.stringify({ timeout_ms: 5, filler: 'x'.repeat(size) });
    assert.equal((await app.inject(post(body(65_536), 'application/json'))).json().code, 'payload_too_large');
    assert.equal((await app.inject(post(body(65_000), 'application/json'))).json().code, 'invalid_request');
  });

  test('a body that may be left out is left out in any way', async (t) => {
    const seen: unknown[] = [];
    const app = await appFor(
      t,
      scripted({
        reset: (name, options) => {
          seen.push([name, options]);
          const running = pending();
          running.end({ state: 'succeeded', result: {} });
          return running;
        },
      }),
    );
    const url = '/v1/subjects/etcd/reset';
    const json = { 'content-type': 'application/json; charset=utf-8' };
    for (const request of [{}, { headers: json }, { headers: json, payload: '{}' }, { headers: { 'content-length': '0' } }]) {
      assert.equal((await app.inject({ method: 'POST', url, ...request })).statusCode, 200);
    }
    assert.deepEqual(seen, Array(4).fill(['etcd', {}]));
  });
});

describe('wrong paths and methods', () => {
  test('an unknown path is 404, with any body', async (t) => {
    const app = await appFor(t, willing());
    for (const url of [
      '/v2/subjects',
      '/v1',
      '/v1/subjects/',
      '/v1/subjects//reset',
      '/v1/trials',
      '/V1/subjects',
      '/v1/subjects/etcd/captures',
      '/docs/static/nothing.css',
    ]) {
      for (const request of [
        { method: 'GET' as const },
        { method: 'POST' as const, payload: '{', headers: { 'content-type': 'application/json' } },
      ]) {
        const reply = await app.inject({ url, ...request });
        assert.equal(reply.statusCode, url.startsWith('/docs') && request.method === 'POST' ? 405 : 404, `${request.method} ${url}`);
        assert.equal(reply.headers['content-type'], 'application/problem+json');
      }
    }
  });

  test('a known path with another method is 405 and names those it takes', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    const cases: ['PUT' | 'POST' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'GET' | 'HEAD', string, string][] = [
      ['PUT', '/v1/subjects', 'GET, HEAD, POST'],
      ['GET', '/v1/subjects/etcd/reset', 'POST'],
      ['POST', '/v1/subjects/etcd', 'DELETE, GET, HEAD'],
      ['PUT', '/v1/subjects/etcd/faults/flt_1?x=1', 'DELETE, GET, HEAD, PATCH'],
      ['POST', '/v1/events', 'GET'],
      ['HEAD', '/v1/events', 'GET'],
      ['OPTIONS', '/v1/kinds', 'GET, HEAD'],
      ['DELETE', '/healthz', 'GET, HEAD'],
      ['POST', '/', 'GET, HEAD'],
    ];
    for (const [method, url, allow] of cases) {
      const reply = await app.inject({ method, url, ...(method === 'POST' ? { payload: '{' } : {}) });
      assert.equal(reply.statusCode, 405, `${method} ${url}`);
      assert.equal(reply.headers.allow, allow);
      if (method !== 'HEAD') assert.equal(reply.json().code, 'method_not_allowed');
    }
    assert.deepEqual(control.calls, []);
  });

  test('a name, however odd, is 404', async (t) => {
    const control = scripted({
      subject: notFound,
      kind: notFound,
      operation: notFound,
      reset: notFound,
      fault: notFound,
      cancelOperation: notFound,
    });
    const { port } = await listening(t, control);
    const odd = [
      '..',
      '../../etc/passwd',
      '%2e%2e',
      '..%2f..%2fetc%2fpasswd',
      ';rm%20-rf',
      ';rm',
      '$(id)',
      '`id`',
      '|id',
      'a%00b',
      '%',
      '%zz',
      '%c0%ae',
      '%E0%A4%A',
      "'or'1'='1",
      '%0d%0aX-Evil:%201',
      '__proto__',
      'constructor',
      '*',
      'x'.repeat(10_000),
      '%41'.repeat(3000),
      '%c3%a9',
    ];
    for (const name of odd) {
      for (const [method, path] of [
        ['GET', `/v1/subjects/${name}`],
        ['POST', `/v1/subjects/${name}/reset`],
        ['GET', `/v1/subjects/etcd/faults/${name}`],
        ['GET', `/v1/kinds/${name}`],
        ['POST', `/v1/operations/${name}/cancel`],
      ] as const) {
        const socket = connect(port, '127.0.0.1');
        socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, 'latin1');
        const answer = await text(socket);
        assert.match(answer, /^HTTP\/1\.1 404 /, `${method} ${path.slice(0, 80)}: ${answer.slice(0, 200)}`);
        assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/i);
        assert.doesNotMatch(answer, /^X-Evil/im);
        assert.ok(answer.length < 4000, 'a long name is not echoed in full');
      }
    }
  });
});
