import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parseDockerHost } from '../../src/engine/connection.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { EngineProxy } from './engine-proxy.ts';
import { engine, freePort, gate, is, label, nextOf, run, signal, swept } from './engine-rig.ts';

swept();

describe('an engine behind a connection', () => {
  const connection = parseDockerHost(process.env.DOCKER_HOST);
  let proxy: EngineProxy;
  let remote: ReturnType<typeof createEngine>;
  let id: string;

  // A way of its own for each: a call may otherwise be given a kept connection that the test before has cut.
  beforeEach(async () => {
    assert.ok('socketPath' in connection, 'this test needs the engine on a socket');
    proxy = await EngineProxy.start(connection.socketPath);
    remote = createEngine({ dockerHost: proxy.dockerHost });
    id = await run();
  });
  afterEach(async () => {
    await remote.close();
    await proxy.close();
  });

  it('that nobody listens at is unreachable from the first call', async () => {
    for (const dockerHost of ['unix:///nosuch/docker.sock', `tcp://127.0.0.1:${await freePort()}`]) {
      const dead = createEngine({ dockerHost });
      await assert.rejects(dead.ping(signal), is('unreachable'));
      await assert.rejects(dead.exec(id, ['true'], signal), is('unreachable'));
      await assert.rejects(dead.removeContainer(id, signal), is('unreachable'));
      const events = dead.events({}, signal)[Symbol.asyncIterator]();
      await assert.rejects(events.next(), is('unreachable'));
      await dead.close();
    }
  });

  it('that is lost in the middle of an answer, at whatever byte, is unreachable, and the next call is served', async () => {
    for (const bytes of [0, 1, 100, 400, 2000]) {
      proxy.cutAfter(bytes);
      await assert.rejects(remote.inspectContainer(id, signal), is('unreachable'), `cut after ${bytes} bytes`);
      assert.equal((await remote.inspectContainer(id, signal))?.id, id);
    }
  });

  it('that is lost in the middle of a slow call is unreachable', async () => {
    const slow = await run();
    const asked = remote.stopContainer(slow, 60, signal);
    await until(async () => (proxy.requests > 0 ? true : undefined), 10, signal);
    proxy.cut();
    await assert.rejects(asked, is('unreachable'));
  });

  it('that is lost in the middle of a command’s output does not pass for its end', async () => {
    const script = 'seq 1 200000; sleep 1; exit 4';
    const asked = remote.exec(id, ['sh', '-c', script], signal);
    proxy.cutAfter(100_000);
    await assert.rejects(asked, is('unreachable'));
  });

  it('that is lost in the middle of the events is unreachable, and the stream can be opened again from there', async () => {
    const opened = gate();
    const events = remote.events({ labels: [label], onOpen: () => opened.open() }, signal)[Symbol.asyncIterator]();
    const next = nextOf(events, (event) => event.id === id && event.action === 'pause');
    await opened.passed;
    await engine.pauseContainer(id, signal);
    const { atSeconds } = await next;
    const lost = nextOf(events, () => false);
    proxy.cut();
    await assert.rejects(lost, is('unreachable'));
    await engine.unpauseContainer(id, signal);
    const again = remote.events({ labels: [label], sinceSeconds: atSeconds }, signal)[Symbol.asyncIterator]();
    await nextOf(again, (event) => event.id === id && event.action === 'unpause');
    await again.return?.(undefined);
  });

  it('keeps no connection for an event stream that nobody reads any more', async () => {
    const opened = gate();
    const events = remote.events({ labels: [label], onOpen: () => opened.open() }, signal)[Symbol.asyncIterator]();
    const next = nextOf(events, (event) => event.id === id);
    await opened.passed;
    await engine.pauseContainer(id, signal);
    await next;
    await events.return?.(undefined);
    using limit = deadline('the connection is closed', 30_000, signal);
    await until(async () => (proxy.connections === 0 ? true : undefined), 20, limit);
  });

  it('is asked over one kept connection, errors included', async () => {
    for (let i = 0; i < 5; i++) {
      await remote.inspectContainer(id, signal);
      await assert.rejects(remote.unpauseContainer(id, signal), is('conflict'));
    }
    assert.deepEqual([proxy.connections, proxy.requests], [1, 10]);
  });

  it('may take its time, whatever time-out the environment has for other clients', async () => {
    const { DOCKER_HOST: saved } = process.env;
    Object.assign(process.env, { DOCKER_HOST: proxy.dockerHost, DOCKER_CLIENT_TIMEOUT: '1' });
    const patient = createEngine();
    delete process.env.DOCKER_CLIENT_TIMEOUT;
    if (saved === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = saved;
    assert.equal((await patient.exec(id, ['sleep', '0.5'], signal)).exitCode, 0);
    await patient.close();
  });

  it('carries a command in three requests', async () => {
    const counts: number[] = [];
    for (let i = 0; i < 5; i++) {
      const before = proxy.requests;
      assert.equal((await remote.exec(id, ['true'], signal)).exitCode, 0);
      counts.push(proxy.requests - before);
    }
    assert.equal(Math.min(...counts), 3, counts.join(' '));
  });
});
