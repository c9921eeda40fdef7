import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { deadline, until } from '../../src/lib/until.ts';
import { buildApp, rateHeaders } from '../../subjects/ratelimiter/service/app.ts';
import { Heartbeat } from '../../subjects/ratelimiter/service/heartbeat.ts';
import { Metrics } from '../../subjects/ratelimiter/service/metrics.ts';
import { toBody } from '../../subjects/ratelimiter/service/problem.ts';
import { RedisConnection } from '../../subjects/ratelimiter/service/redis.ts';
import { readSettings } from '../../subjects/ratelimiter/service/settings.ts';
import { Store } from '../../subjects/ratelimiter/service/store.ts';

/** The whole service, listening nowhere, on whatever stands at the port. */
function build(t: TestContext, port: number) {
  const node = { id: 'n1', address: 'n1:8080', startedAt: 0, instance: 'i1' };
  const redis = new RedisConnection({ host: '127.0.0.1', port, timeoutMs: 100 }, { up: () => {}, down: () => {} });
  const store = new Store(redis, { limit: 5, window_ms: 1000 }, node.instance);
  const heartbeat = new Heartbeat(store, node, () => {});
  const app = buildApp({ store, heartbeat, metrics: new Metrics('n1', redis), node, logger: pino({ level: 'silent' }) });
  t.after(async () => {
    redis.close();
    await app.close();
  });
  return { app, redis };
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function closedPort(t: TestContext): Promise<number> {
  const server = createServer();
  const port = await listen(t, server);
  server.close();
  await once(server, 'close');
  return port;
}

const routesThatNeedRedis = [
  { method: 'POST', url: '/check', payload: { key: 'a' } },
  { method: 'GET', url: '/api/limits' },
  { method: 'GET', url: '/api/limits/a' },
  { method: 'PUT', url: '/api/limits', payload: { limits: [] } },
  { method: 'PUT', url: '/api/limits/a', payload: { limit: 1, window_ms: 1 } },
  { method: 'DELETE', url: '/api/limits/a' },
  { method: 'GET', url: '/api/counters' },
  { method: 'POST', url: '/api/counters/a/reset' },
  { method: 'GET', url: '/api/blocks' },
  { method: 'GET', url: '/api/nodes' },
  { method: 'GET', url: '/health' },
] as const;

describe('without Redis', () => {
  test('every route that needs it answers 503 with the reason', async (t) => {
    const { app } = build(t, await closedPort(t));
    for (const route of routesThatNeedRedis) {
      const answer = await app.inject({ ...route });
      assert.equal(answer.statusCode, 503, `${route.method} ${route.url}`);
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
      assert.equal(answer.headers['retry-after'], '1');
      assert.equal(answer.json().code, 'redis_unavailable');
    }
    assert.match((await app.inject('/metrics')).body, /ratelimiter_checks_total\{outcome="unavailable",node="n1"\} 1/);
  });

  test('the reason names what happened to the connection', async (t) => {
    const { app, redis } = build(t, await closedPort(t));
    using limit = deadline('a refused connection', 10_000);
    await until(async () => (redis.failures > 0 ? true : undefined), 5, limit);
    assert.match((await app.inject('/health')).json().detail, /ECONNREFUSED/);
  });

  test('a peer that accepts and stays silent is given up again and again, and never counts as Redis', async (t) => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.resume();
      socket.on('error', () => {});
    });
    const { app } = build(t, await listen(t, server));
    using limit = deadline('a second connection', 10_000);
    await until(async () => (connections >= 2 ? true : undefined), 5, limit);
    assert.equal((await app.inject('/health')).statusCode, 503);
  });

  test('a Redis that falls silent after it was ready costs one time-out, then the connection is given up', async (t) => {
    // Speaks just enough to become ready, then says nothing more on that connection.
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.once('data', () => socket.write('$9\r\nloading:0\r\n'));
      socket.on('error', () => {});
    });
    const { app, redis } = build(t, await listen(t, server));
    using limit = deadline('a new connection', 10_000);
    await until(async () => (redis.up ? true : undefined), 5, limit);
    const before = connections;
    const [one, other] = await Promise.all([
      app.inject({ method: 'POST', url: '/check', payload: { key: 'a' } }),
      app.inject({ method: 'POST', url: '/check', payload: { key: 'b' } }),
    ]);
    assert.deepEqual([one.statusCode, other.statusCode], [503, 503]);
    await until(async () => (connections > before ? true : undefined), 5, limit);
    assert.equal(redis.pending, 0);
  });
});

describe('strict input', () => {
  const bad: [string, unknown][] = [
    ['no key', {}],
    ['an empty key', { key: '' }],
    ['a key with a blank', { key: 'a b' }],
    ['a key that is too long', { key: 'k'.repeat(129) }],
    ['a key that is no text', { key: 5 }],
    ['a limit as text', { key: 'a', limit: '5' }],
    ['a negative limit', { key: 'a', limit: -1 }],
    ['a limit with a fraction', { key: 'a', limit: 1.5 }],
    ['a limit beyond the bound', { key: 'a', limit: 10_001 }],
    ['a window of nothing', { key: 'a', window_ms: 0 }],
    ['a window beyond an hour', { key: 'a', window_ms: 3_600_001 }],
    ['an unknown field', { key: 'a', window: 1000 }],
    ['a list', []],
  ];

  test('a check that is not as it must be is a 400, before Redis is asked', async (t) => {
    const { app } = build(t, await closedPort(t));
    for (const [what, payload] of bad) {
      const answer = await app.inject({ method: 'POST', url: '/check', payload: payload as object });
      assert.equal(answer.statusCode, 400, what);
      assert.equal(answer.json().code, 'invalid_request', what);
    }
    const told = async (payload: object) => (await app.inject({ method: 'POST', url: '/check', payload })).json().detail;
    assert.equal(await told({ key: 'a', window: 1 }), 'body must NOT have additional properties (window)');
    assert.equal(await told({ key: 'a', limit: -1 }), 'body/limit must be >= 0');
  });

  test('what is not JSON, too large, or at no route has its own answer', async (t) => {
    const { app } = build(t, await closedPort(t));
    const headers = { 'content-type': 'application/json' };
    const status = async (over: object) => (await app.inject({ method: 'POST', url: '/check', headers, ...over })).statusCode;
    assert.equal(await status({ payload: '{' }), 400);
    assert.equal(await status({ payload: 'key=a', headers: { 'content-type': 'text/plain' } }), 415);
    assert.equal(await status({ payload: JSON.stringify({ key: 'k'.repeat(300_000) }) }), 413);
    assert.equal((await app.inject('/nothing')).statusCode, 404);
    assert.equal((await app.inject(`/api/limits/${'k'.repeat(129)}`)).statusCode, 400);
    assert.equal((await app.inject('/api/limits/a%20b')).statusCode, 400);
  });

  test('two limits for one key in one request are refused', async (t) => {
    const { app } = build(t, await closedPort(t));
    const one = { key: 'a', limit: 1, window_ms: 1000 };
    const answer = await app.inject({ method: 'PUT', url: '/api/limits', payload: { limits: [one, { ...one, limit: 2 }] } });
    assert.equal(answer.statusCode, 400);
  });
});

test('the headers give whole seconds, rounded up, and Retry-After only to the refused', () => {
  assert.deepEqual(rateHeaders({ allowed: true, limit: 5, remaining: 4, reset_ms: 1001 }), {
    'X-RateLimit-Limit': '5',
    'X-RateLimit-Remaining': '4',
    'X-RateLimit-Reset': '2',
  });
  assert.equal(rateHeaders({ allowed: false, limit: 5, remaining: 0, reset_ms: 1 })['Retry-After'], '1');
});

test('settings have defaults, and a wrong one is named', () => {
  assert.deepEqual(readSettings({ NODE_ID: 'limiter1', DEFAULT_LIMIT: '' }), {
    nodeId: 'limiter1',
    host: '0.0.0.0',
    port: 8080,
    address: 'limiter1:8080',
    redisHost: 'redis',
    redisPort: 6379,
    redisTimeoutMs: 500,
    defaultLimit: 100,
    defaultWindowMs: 60_000,
    logLevel: 'info',
  });
  for (const [name, value] of Object.entries({
    NODE_ID: 'a b',
    PORT: '70000',
    DEFAULT_LIMIT: '1e3',
    DEFAULT_WINDOW_MS: '0',
    LOG_LEVEL: 'loud',
  })) {
    assert.throws(() => readSettings({ [name]: value }), new RegExp(`^Error: ${name}=${value}: it must be`));
  }
});

test('an unforeseen error is a 500 that tells nothing of the inside', () => {
  const { status, body } = toBody(new TypeError('secret'));
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(body), /secret|stack|at /);
});
