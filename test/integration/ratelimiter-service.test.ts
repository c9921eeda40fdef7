import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { deadline, until } from '../../src/lib/until.ts';
import { Witness } from '../../subjects/ratelimiter/service/witness.ts';
import { type CheckBody, limiters, Rig } from './ratelimiter-rig.ts';

const seed = Number(process.env.FC_SEED ?? 20_260_101);
const rig = new Rig();
const ask = (node: string, method: string, path: string, body?: unknown) => rig.ask(node, method, path, body);
const check = (node: string, body: CheckBody) => rig.check(node, body);
const redisCli = (...argv: string[]) => rig.redisCli(...argv);
const other = (n: number) => limiters[n % limiters.length] ?? '';

before(() => rig.up());
after(() => rig.down());

describe('three limiters on one Redis', () => {
  test('the answer and its headers tell where the key stands', async () => {
    const first = await check('limiter1', { key: 'shape', limit: 2, window_ms: 60_000 });
    assert.equal(first.status, 200);
    assert.deepEqual(first.body, { allowed: true, key: 'shape', limit: 2, remaining: 1, reset_ms: 60_000, node: 'limiter1' });
    assert.equal(first.headers['x-ratelimit-limit'], '2');
    assert.equal(first.headers['x-ratelimit-remaining'], '1');
    assert.equal(first.headers['x-ratelimit-reset'], '60');
    assert.equal((await check('limiter2', { key: 'shape', limit: 2, window_ms: 60_000 })).body.remaining, 0);

    const refused = await check('limiter3', { key: 'shape', limit: 2, window_ms: 60_000 });
    assert.equal(refused.status, 429);
    assert.equal(refused.body.allowed, false);
    assert.equal(refused.body.remaining, 0);
    assert.ok(refused.body.reset_ms > 0 && refused.body.reset_ms <= 60_000);
    assert.equal(refused.headers['retry-after'], String(Math.ceil(refused.body.reset_ms / 1000)));
  });

  test('of a burst across the nodes inside one window exactly the limit is allowed', async () => {
    const config = fc.record({ limit: fc.integer({ min: 0, max: 40 }), concurrency: fc.integer({ min: 1, max: 150 }), key: fc.uuid() });
    await fc.assert(
      fc.asyncProperty(config, async ({ limit, concurrency, key }) => {
        const answers = await Promise.all(
          Array.from({ length: concurrency }, (_, n) => check(other(n), { key, limit, window_ms: 3_600_000 })),
        );
        const allowed = answers.filter((a) => a.status === 200);
        assert.equal(allowed.length, Math.min(limit, concurrency));
        assert.ok(answers.every((a) => a.status === 200 || a.status === 429));
        // Each allowed check got its own slot.
        assert.equal(new Set(allowed.map((a) => a.body.remaining)).size, allowed.length);
      }),
      { numRuns: 15, seed, endOnFailure: true },
    );
  });

  test('no window ever holds more allowed checks than the limit, and windows slide', async () => {
    const config = fc.record({
      limit: fc.integer({ min: 1, max: 30 }),
      windowMs: fc.integer({ min: 20, max: 400 }),
      concurrency: fc.integer({ min: 1, max: 24 }),
      key: fc.uuid(),
    });
    await fc.assert(
      fc.asyncProperty(config, async ({ limit, windowMs, concurrency, key }) => {
        const witness = new Witness(limit, windowMs);
        const began = performance.now();
        let allowed = 0;
        // Each worker asks without pause until more than two windows' worth is allowed; the deadline only bounds a limiter that stopped sliding.
        using bound = deadline(`more than ${2 * limit} allowed`, 30_000);
        const worker = async (n: number) => {
          for (let i = n; allowed <= 2 * limit; i += 1) {
            bound.throwIfAborted();
            const askedAt = performance.now();
            const answer = await check(other(i), { key, limit, window_ms: windowMs });
            assert.ok(answer.status === 200 || answer.status === 429, `status ${answer.status}`);
            if (answer.status === 200) {
              allowed += 1;
              assert.equal(witness.allowed(key, askedAt, performance.now()), false, 'more than the limit in one window');
            }
          }
        };
        await Promise.all(Array.from({ length: concurrency }, (_, n) => worker(n)));
        // 2 × limit + 1 checks span at least two whole windows, whatever the machine does.
        assert.ok(performance.now() - began >= 2 * windowMs);
      }),
      { numRuns: 12, seed, endOnFailure: true },
    );
  });

  test('a short window asked of a key does not make a longer one forget', async () => {
    const key = 'mixed';
    for (let n = 0; n < 3; n++) assert.equal((await check(other(n), { key, limit: 3, window_ms: 3_600_000 })).status, 200);
    using limit = deadline('a free slot in the short window', 10_000);
    await until(async () => ((await check('limiter2', { key, limit: 3, window_ms: 30 })).status === 200 ? true : undefined), 10, limit);
    assert.equal((await check('limiter3', { key, limit: 4, window_ms: 3_600_000 })).status, 429);
    assert.equal((await check('limiter3', { key, limit: 5, window_ms: 3_600_000 })).status, 200);
  });

  test('refused checks take no slot: a key that is hammered frees when its allowed checks have left', async () => {
    const key = 'hammered';
    assert.equal((await check('limiter1', { key, limit: 1, window_ms: 300 })).status, 200);
    using limit = deadline('a second allowed check', 10_000);
    await until(async () => ((await check('limiter2', { key, limit: 1, window_ms: 300 })).status === 200 ? true : undefined), 1, limit);
    assert.equal(await redisCli('ZCARD', `ratelimit:${key}`), '1');
  });

  test('a counter leaves Redis when its window has passed', async () => {
    await check('limiter1', { key: 'short-lived', limit: 5, window_ms: 50 });
    assert.equal(await redisCli('EXISTS', 'ratelimit:short-lived'), '1');
    using limit = deadline('the counter gone', 10_000);
    await until(
      async () => ((await redisCli('EXISTS', 'ratelimit:short-lived', 'ratelimiter:window:short-lived')) === '0' ? true : undefined),
      50,
      limit,
    );
  });

  test('stored limits hold for every node, and the request’s own win over them', async () => {
    const put = await ask('limiter1', 'PUT', '/api/limits/stored', { limit: 1, window_ms: 3_600_000 });
    assert.deepEqual(put.body, { key: 'stored', limit: 1, window_ms: 3_600_000, source: 'stored' });
    assert.deepEqual((await ask('limiter2', 'GET', '/api/limits/stored')).body, put.body);
    assert.equal((await check('limiter3', { key: 'stored' })).status, 200);
    assert.equal((await check('limiter1', { key: 'stored' })).status, 429);
    assert.equal((await check('limiter1', { key: 'stored', limit: 2 })).status, 200);

    assert.equal((await ask('limiter3', 'DELETE', '/api/limits/stored')).body.source, 'default');
    assert.deepEqual((await check('limiter2', { key: 'stored' })).body.limit, 100);
    assert.equal((await ask('limiter2', 'GET', '/api/limits/stored')).body.source, 'default');
  });

  test('all stored limits are replaced at once', async () => {
    await ask('limiter1', 'PUT', '/api/limits/old', { limit: 1, window_ms: 1000 });
    const limits = [
      { key: 'a', limit: 1, window_ms: 1000 },
      { key: 'b/c', limit: 2, window_ms: 2000 },
    ];
    const answer = await ask('limiter2', 'PUT', '/api/limits', { limits });
    assert.deepEqual(answer.body, { default: { limit: 100, window_ms: 60_000 }, limits });
    assert.deepEqual((await ask('limiter3', 'GET', '/api/limits/b%2Fc')).body, { ...limits[1], source: 'stored' });
    assert.deepEqual((await ask('limiter1', 'PUT', '/api/limits', { limits: [] })).body.limits, []);
  });

  test('counters show what their windows hold, and a reset empties one', async () => {
    for (let n = 0; n < 4; n++) await check(other(n), { key: 'counted', limit: 10, window_ms: 3_600_000 });
    const list = async () => (await ask('limiter2', 'GET', '/api/counters')).body;
    const find = async () => (await list()).counters.find((c: { key: string }) => c.key === 'counted');
    assert.deepEqual(await find(), { key: 'counted', count: 4, window_ms: 3_600_000 });
    assert.equal((await list()).complete, true);
    assert.deepEqual((await ask('limiter3', 'POST', '/api/counters/counted/reset')).body, { key: 'counted', removed: 4 });
    assert.equal(await find(), undefined);
    assert.equal((await check('limiter1', { key: 'counted', limit: 1, window_ms: 3_600_000 })).status, 200);
  });

  test('entries forged in Redis count, and those of the past do not', async () => {
    const now = (await redisCli('TIME')).split('\n').map(Number)[0] ?? 0;
    await redisCli('ZADD', 'ratelimit:forged', String(now * 1000), 'x', String(now * 1000), 'y', '1000', 'ancient');
    const answer = await check('limiter1', { key: 'forged', limit: 3, window_ms: 3_600_000 });
    assert.equal(answer.body.remaining, 0);
    assert.equal((await check('limiter2', { key: 'forged', limit: 3, window_ms: 3_600_000 })).status, 429);
  });

  test('refused checks are listed by key, the latest first', async () => {
    for (let n = 0; n < 3; n++) await check(other(n), { key: 'blocked-1', limit: 0, window_ms: 1000 });
    await check('limiter1', { key: 'blocked-2', limit: 0, window_ms: 1000 });
    const { blocks } = (await ask('limiter3', 'GET', '/api/blocks')).body;
    assert.deepEqual(
      blocks.slice(0, 2).map((b: { key: string; count: number }) => [b.key, b.count]),
      [
        ['blocked-2', 1],
        ['blocked-1', 3],
      ],
    );
    assert.ok(!Number.isNaN(Date.parse(blocks[0].last_at)));
  });

  test('the list of refused keys is bounded', async () => {
    for (let n = 0; n < 1050; n += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, i) => check(other(i), { key: `bounded-${n + i}`, limit: 0, window_ms: 1000 })));
    }
    assert.equal((await ask('limiter1', 'GET', '/api/blocks')).body.blocks.length, 1000);
    assert.equal(await redisCli('HLEN', 'ratelimiter:block_counts'), '1000');
  });

  test('a counter never keeps more entries than the largest limit', async () => {
    await redisCli('EVAL', "for i = 1, 10500 do redis.call('ZADD', KEYS[1], ARGV[1], 'm' .. i) end", '1', 'ratelimit:large', '1000');
    const now = (await redisCli('TIME')).split('\n').map(Number)[0] ?? 0;
    await redisCli(
      'EVAL',
      "for i = 1, 10500 do redis.call('ZADD', KEYS[1], ARGV[1], 'n' .. i) end",
      '1',
      'ratelimit:huge',
      String(now * 1000),
    );
    await check('limiter1', { key: 'large', limit: 1, window_ms: 1000 });
    assert.equal(await redisCli('ZCARD', 'ratelimit:large'), '1');
    assert.equal((await check('limiter1', { key: 'huge', limit: 10_000, window_ms: 3_600_000 })).status, 429);
    await redisCli('ZREMRANGEBYRANK', 'ratelimit:huge', '0', '500');
    assert.equal((await check('limiter1', { key: 'huge', limit: 10_000, window_ms: 3_600_000 })).status, 200);
    assert.equal(await redisCli('ZCARD', 'ratelimit:huge'), '10000');
  });

  test('a value in Redis that is no counter or no limit is an error of that key alone', async () => {
    await redisCli('SET', 'ratelimit:text', 'x');
    await redisCli('HSET', 'ratelimiter:limits', 'odd', 'many');
    const wrong = await check('limiter1', { key: 'text' });
    assert.equal(wrong.status, 500);
    assert.equal(wrong.body.code, 'redis_refused');
    assert.match((await check('limiter1', { key: 'odd' })).body.detail, /STOREDLIMIT not limit:window_ms: many/);
    assert.equal((await check('limiter1', { key: 'odd', limit: 1, window_ms: 1000 })).status, 200);
    assert.equal((await ask('limiter1', 'GET', '/api/counters')).status, 200);
    await redisCli('DEL', 'ratelimit:text', 'ratelimiter:limits');
  });

  test('scripts that Redis has forgotten are sent again', async () => {
    await redisCli('SCRIPT', 'FLUSH');
    assert.equal((await check('limiter1', { key: 'flushed' })).status, 200);
  });

  test('metrics count the outcomes', async () => {
    await check('limiter2', { key: 'metered', limit: 0, window_ms: 1000 });
    const { body } = await ask('limiter2', 'GET', '/metrics');
    assert.match(body, /ratelimiter_checks_total\{outcome="refused",node="limiter2"\} [1-9]/);
    assert.match(body, /ratelimiter_redis_up\{node="limiter2"\} 1/);
  });
});
