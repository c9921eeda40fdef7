import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createEngine } from '../../src/engine/dockerode.ts';
import type { Node, NodeHealth, Toolkit } from '../../src/kind/adapter.ts';
import { Reach } from '../../src/kind/toolkit.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { adapter } from '../../subjects/ratelimiter/adapter.ts';
import { docker, limiters, Rig } from './ratelimiter-rig.ts';

const rig = new Rig();
const engine = createEngine();
const reach = new Reach(engine, systemClock);
const never = new AbortController().signal;

before(() => rig.up());
after(async () => {
  await reach.close();
  await engine.close();
  await rig.down();
});

/** The toolkit as the service makes it, of the nodes as they are now. */
async function toolkit(): Promise<Toolkit> {
  const nodes = await Promise.all(
    Object.entries(adapter.nodeTypes).map(async ([name, type]): Promise<Node> => {
      const [found] = JSON.parse(await docker('inspect', rig.container(name)));
      const running = found.State.Running && !found.State.Paused;
      const address = running ? found.NetworkSettings.Networks[rig.name].IPAddress : null;
      const startedAt = Date.parse(found.State.StartedAt);
      return { name, type, container: rig.container(name), containerId: found.Id, running, startedAt, address };
    }),
  );
  return reach.toolkit('ratelimiter', nodes, {});
}

/** Waits until health says this of the nodes, in their order, and answers it. */
async function untilHealth(wanted: NodeHealth[]) {
  using limit = deadline(`health ${wanted}`, 30_000);
  const looked = async (signal: AbortSignal) => {
    const health = await adapter.health(await toolkit(), signal);
    return String(health.nodes.map((n) => n.health)) === String(wanted) ? health : undefined;
  };
  return until(looked, 50, limit);
}

const roles = async () => (await adapter.roles(await toolkit(), never)).map(({ node, role }) => `${node}:${role}`);
const state = async () => adapter.state(await toolkit(), never);

describe('the ratelimiter’s adapter on real nodes', () => {
  test('all up: healthy, four roles, and a whole state', async () => {
    const health = await untilHealth(['up', 'up', 'up', 'up']);
    assert.equal(health.healthy, true);
    assert.deepEqual(health.issues, []);
    assert.deepEqual(await roles(), ['limiter1:limiter', 'limiter2:limiter', 'limiter3:limiter', 'redis:redis']);

    await rig.ask('limiter1', 'PUT', '/api/limits/gold', { limit: 2, window_ms: 3_600_000 });
    for (let n = 0; n < 3; n++) await rig.check('limiter2', { key: 'gold' });
    const read = await state();
    assert.deepEqual(read.missing, []);
    assert.equal(read.readable, true);
    assert.deepEqual(Object.keys(read.state), ['limits', 'counters', 'blocks', 'nodes', 'redis']);
    assert.deepEqual(read.state.limits, [{ key: 'gold', limit: 2, window_ms: 3_600_000 }]);
    assert.deepEqual(read.state.counters, [{ key: 'gold', count: 2, window_ms: 3_600_000 }]);
    assert.deepEqual(
      (read.state.nodes as { id: string }[]).map((n) => n.id),
      limiters,
    );
    assert.match(String((read.state.redis as { version: string }).version), /^\d+\./);
  });

  test('a killed limiter is down, has no role, and does not blind the state; started again it is up', async () => {
    await docker('kill', rig.container('limiter2'));
    const health = await untilHealth(['up', 'down', 'up', 'up']);
    assert.equal(health.healthy, false);
    assert.deepEqual(health.issues, ['limiter2: not running']);
    assert.deepEqual(await roles(), ['limiter1:limiter', 'limiter3:limiter', 'redis:redis']);
    assert.deepEqual((await state()).missing, []);
    await rig.start('limiter2');
    assert.equal((await untilHealth(['up', 'up', 'up', 'up'])).healthy, true);
  });

  test('without any limiter the same state is read from Redis itself', async () => {
    const before = (await state()).state;
    await docker('kill', ...limiters.map((l) => rig.container(l)));
    const read = await state();
    assert.deepEqual(read.missing, []);
    assert.deepEqual(
      { limits: read.state.limits, counters: read.state.counters, blocks: read.state.blocks },
      { limits: before.limits, counters: before.counters, blocks: before.blocks },
    );
    for (const node of limiters) await rig.start(node);
    await untilHealth(['up', 'up', 'up', 'up']);
  });

  test('a killed Redis takes the limiters along, each says why, and nothing is readable', async () => {
    await docker('kill', rig.container('redis'));
    const health = await untilHealth(['down', 'down', 'down', 'down']);
    assert.match(health.issues.join('\n'), /^limiter1: \/health answers 503: Redis .*$/m);
    assert.deepEqual(await roles(), []);
    assert.deepEqual(await state(), { state: {}, missing: ['limits', 'counters', 'blocks', 'nodes', 'redis'], readable: false });
    await rig.start('redis');
    assert.equal((await untilHealth(['up', 'up', 'up', 'up'])).healthy, true);
  });

  test('a frozen Redis that the engine still calls running is found out by its silence', async () => {
    await docker('pause', rig.container('redis'));
    const frozen = await toolkit();
    const nodes = await Promise.all(
      frozen.nodes.map(async (n) => (n.name === 'redis' ? { ...n, running: true, address: await rig.address('redis') } : n)),
    );
    const health = await adapter.health(reach.toolkit('ratelimiter', nodes, {}), never);
    assert.deepEqual(
      health.nodes.map((n) => n.health),
      ['down', 'down', 'down', 'down'],
    );
    assert.ok(health.issues.includes('redis: Redis: timeout after 2000 ms'), health.issues.join('\n'));
    await docker('unpause', rig.container('redis'));
    assert.equal((await untilHealth(['up', 'up', 'up', 'up'])).healthy, true);
  });

  test('a cancelled call is thrown, not taken for a finding', async () => {
    const aborted = AbortSignal.abort(new Error('cancelled'));
    const kit = await toolkit();
    await assert.rejects(adapter.health(kit, aborted), /cancelled/);
    await assert.rejects(adapter.state(kit, aborted), /cancelled/);
    await assert.rejects(adapter.roles(kit, aborted), /cancelled/);
  });
});
