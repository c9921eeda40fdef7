import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deadline, until } from '../../src/lib/until.ts';
import { Witness } from '../../subjects/ratelimiter/service/witness.ts';
import { type CheckBody, docker, limiters, Rig } from './ratelimiter-rig.ts';

const rig = new Rig();
const ask = (node: string, method: string, path: string) => rig.ask(node, method, path);
const check = (node: string, body: CheckBody) => rig.check(node, body);
const redisCli = (...argv: string[]) => rig.redisCli(...argv);
const other = (n: number) => limiters[n % limiters.length] ?? '';

before(() => rig.up());
after(() => rig.down());

describe('nodes', () => {
  const ids = async () => (await ask('limiter1', 'GET', '/api/nodes')).body.nodes.map((n: { id: string }) => n.id);

  test('every node is listed with the start it tells of itself', async () => {
    const { nodes } = (await ask('limiter2', 'GET', '/api/nodes')).body;
    assert.deepEqual(
      nodes.map((n: { id: string; address: string }) => [n.id, n.address]),
      limiters.map((l) => [l, `${l}:8080`]),
    );
    const health = (await ask('limiter3', 'GET', '/health')).body;
    const listed = nodes.find((n: { id: string }) => n.id === 'limiter3');
    assert.equal(listed.started_at, health.started_at);
    assert.equal(listed.instance, health.instance);
  });

  test('a killed node leaves the list when its beats have stopped, and a start brings it back as another instance', async () => {
    const before = (await ask('limiter3', 'GET', '/health')).body.instance;
    await docker('kill', rig.container('limiter3'));
    using limit = deadline('the list follows', 30_000);
    await until(async () => ((await ids()).includes('limiter3') ? undefined : true), 100, limit);
    await rig.start('limiter3');
    await until(async () => ((await ids()).includes('limiter3') ? true : undefined), 50, limit);
    assert.notEqual((await ask('limiter3', 'GET', '/health')).body.instance, before);
  });

  test('a stopped node leaves by itself, at once and with exit code 0', async () => {
    await docker('stop', '-t', '10', rig.container('limiter3'));
    assert.equal(await docker('inspect', '-f', '{{.State.ExitCode}}', rig.container('limiter3')), '0');
    assert.deepEqual(await ids(), ['limiter1', 'limiter2']);
    await rig.start('limiter3');
    await rig.allHealth(200);
  });
});

describe('Redis in trouble', () => {
  const full = { key: 'durable', limit: 3, window_ms: 3_600_000 };

  test('killed: every node answers 503; started again at another address: they recover and have forgotten nothing', async () => {
    for (let n = 0; n < 3; n++) assert.equal((await check(other(n), full)).status, 200);
    const address = await rig.address('redis');
    await docker('kill', '-s', 'KILL', rig.container('redis'));
    await rig.allHealth(503);
    const answer = await check('limiter1', full);
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'redis_unavailable');

    await docker('rm', rig.container('redis'));
    await docker('run', '-d', '--name', rig.container('filler'), '--network', rig.name, 'subjectd/redis:8', 'sleep', 'infinity');
    await rig.runRedis();
    assert.notEqual(await rig.address('redis'), address, 'the test needs Redis to come back at another address');
    await rig.allHealth(200);
    assert.equal((await check('limiter2', full)).status, 429);
  });

  test('frozen: requests end with 503 instead of piling up, and it recovers when Redis thaws', async () => {
    await docker('pause', rig.container('redis'));
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, n) => check(other(n), { key: 'frozen', limit: 5, window_ms: 3_600_000 })),
    );
    assert.ok(answers.every((a) => a.status === 503));
    await rig.allHealth(503);
    await docker('unpause', rig.container('redis'));
    await rig.allHealth(200);
    // What was sent to the frozen Redis may have taken slots, but never more than there are.
    const after = await Promise.all(
      Array.from({ length: 20 }, (_, n) => check(other(n), { key: 'frozen', limit: 5, window_ms: 3_600_000 })),
    );
    assert.ok(after.filter((a) => a.status === 200).length <= 5);
    assert.ok(Number(await redisCli('ZCARD', 'ratelimit:frozen')) <= 5);
  });

  test('killed again and again under load: no window ever holds more allowed checks than the limit', async () => {
    const witness = new Witness(20, 500);
    const outcome = { allowed: 0, unavailable: 0 };
    const stop = new AbortController();
    const worker = async (n: number) => {
      for (let i = n; !stop.signal.aborted; i += 1) {
        const askedAt = performance.now();
        const answer = await check(other(i), { key: 'stormy', limit: 20, window_ms: 500 });
        if (answer.status === 503) outcome.unavailable += 1;
        if (answer.status !== 200) continue;
        outcome.allowed += 1;
        assert.equal(witness.allowed('stormy', askedAt, performance.now()), false, 'more than the limit in one window');
      }
    };
    const workers = Promise.all(Array.from({ length: 12 }, (_, n) => worker(n)));
    try {
      for (let round = 0; round < 3; round++) {
        await docker('kill', '-s', 'KILL', rig.container('redis'));
        await rig.start('redis');
        await rig.allHealth(200);
      }
    } finally {
      stop.abort();
      await workers;
    }
    assert.ok(outcome.allowed > 0 && outcome.unavailable > 0, JSON.stringify(outcome));
  });
});
