import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { deadline, until } from '../../src/lib/until.ts';
import { detail, engine, exited, freePort, image, is, label, labels, run, signal, sleeper, swept, uniqueName } from './engine-rig.ts';

swept();

describe('the engine', () => {
  it('answers a ping and says what it is', async () => {
    await engine.ping(signal);
    const info = await engine.info(signal);
    assert.match(info.apiVersion, /^1\.\d+$/);
    assert.match(info.cgroupVersion, /^[12]$/);
    for (const text of [info.id, info.version, info.kernel, info.operatingSystem]) assert.notEqual(text, '');
  });

  it('gives back the reason of a signal that has aborted before, during and as a time-out', async () => {
    const reason = new Error('enough');
    await assert.rejects(engine.ping(AbortSignal.abort(reason)), (error) => error === reason);
    const controller = new AbortController();
    const asked = engine.info(controller.signal);
    controller.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
    const id = await run();
    await assert.rejects(engine.stopContainer(id, 60, AbortSignal.timeout(300)), { name: 'TimeoutError' });
  });

  it('serves a hundred inspections at once under one signal without a warning', async () => {
    const id = await run();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const shared = new AbortController().signal;
    const all = await Promise.all(Array.from({ length: 100 }, () => engine.inspectContainer(id, shared)));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    assert.ok(all.every((found) => found?.id === id));
    assert.deepEqual(warnings, []);
    assert.deepEqual(getEventListeners(shared, 'abort'), []);
  });
});

describe('a container', () => {
  it('is created from a body that stays as it is, listed by all of its labels, and inspected by name and id', async () => {
    const name = uniqueName();
    const body = sleeper({ Labels: { ...labels, 'io.subjectd.test.own': name }, Env: ['A=b'] });
    const copy = structuredClone(body);
    for (const part of [body, body.Labels, body.HostConfig, body.Env]) Object.freeze(part);
    const id = await engine.createContainer(name, body, signal);
    assert.deepEqual(body, copy);
    const listed = await engine.listContainers([label, `io.subjectd.test.own=${name}`], signal);
    assert.deepEqual(
      listed.map((c) => [c.id, c.name, c.image, c.state, c.labels['io.subjectd.test.own']]),
      [[id, name, image, 'created', name]],
    );
    assert.deepEqual(await engine.listContainers([label, 'io.subjectd.test.own=other'], signal), []);
    for (const ref of [id, name, id.slice(0, 12)]) assert.equal((await engine.inspectContainer(ref, signal))?.id, id);
    const { state, startedAt, finishedAt, networkMode } = await detail(id);
    assert.deepEqual([state, startedAt, finishedAt], ['created', null, null]);
    assert.match(networkMode, /default|bridge/);
  });

  it('is not mistaken for one whose id begins like a name', async () => {
    const id = await run();
    assert.equal(await engine.inspectContainer(id.slice(0, 8), signal), null);
    for (const odd of ['', '.', '..', '../version', 'a/b', 'x?all=1', 'ü', 'nosuch'])
      assert.equal(await engine.inspectContainer(odd, signal), null);
  });

  it('starts, stops, pauses and unpauses; twice started or stopped is success, twice paused a conflict', async () => {
    const id = await run({ StopSignal: 'SIGKILL' });
    await engine.startContainer(id, signal);
    await engine.pauseContainer(id, signal);
    assert.equal((await detail(id)).state, 'paused');
    await assert.rejects(engine.pauseContainer(id, signal), is('conflict'));
    await assert.rejects(engine.startContainer(id, signal), is('conflict'));
    await engine.unpauseContainer(id, signal);
    await assert.rejects(engine.unpauseContainer(id, signal), is('conflict'));
    await engine.stopContainer(id, 5, signal);
    await engine.stopContainer(id, 5, signal);
    const { state, exitCode, startedAt, finishedAt } = await detail(id);
    assert.deepEqual([state, exitCode], ['exited', 137]);
    assert.ok(startedAt !== null && finishedAt !== null && finishedAt >= startedAt);
    await assert.rejects(engine.pauseContainer(id, signal), is('conflict'));
  });

  it('is killed once: a kill of one that does not run is a conflict', async () => {
    const id = await run();
    await engine.killContainer(id, 'SIGKILL', signal);
    await exited(id);
    assert.equal((await detail(id)).exitCode, 137);
    await assert.rejects(engine.killContainer(id, 'SIGKILL', signal), is('conflict'));
    await assert.rejects(engine.killContainer('eng-test-nosuch', 'SIGKILL', signal), is('not_found'));
  });

  it('is killed while it is paused', async () => {
    const id = await run();
    await engine.pauseContainer(id, signal);
    await engine.killContainer(id, 'SIGKILL', signal);
    await exited(id);
  });

  it('is removed in any state, by several at once, and again when it is gone', async () => {
    const paused = await run();
    await engine.pauseContainer(paused, signal);
    const created = await engine.createContainer(uniqueName(), sleeper(), signal);
    for (const id of [await run(), paused, created]) {
      await Promise.all(Array.from({ length: 5 }, () => engine.removeContainer(id, signal)));
      assert.equal(await engine.inspectContainer(id, signal), null);
      await engine.removeContainer(id, signal);
    }
  });

  it('takes its anonymous volumes with it', async () => {
    const name = uniqueName();
    const mount = { Type: 'volume' as const, Target: '/data', VolumeOptions: { Labels: { ...labels, 'io.subjectd.test.own': name } } };
    const id = await run({ HostConfig: { Mounts: [mount] } });
    const own = [`io.subjectd.test.own=${name}`];
    const [volume] = await engine.listVolumes(own, signal);
    assert.deepEqual(
      (await detail(id)).mounts.map((m) => [m.type, m.name, m.destination]),
      [['volume', volume?.name, '/data']],
    );
    await engine.removeContainer(id, signal);
    assert.deepEqual(await engine.listVolumes(own, signal), []);
  });

  it('shows its health and its health check', async () => {
    const id = await run({ Healthcheck: { Test: ['CMD-SHELL', 'echo fine'], Interval: 200_000_000, Timeout: 3_000_000_000 } });
    using limit = deadline('healthy', 60_000, signal);
    const found = await until(
      async (inner) => {
        const seen = await engine.inspectContainer(id, inner);
        return seen?.health?.status === 'healthy' ? seen : undefined;
      },
      50,
      limit,
    );
    assert.deepEqual(found.health, { status: 'healthy', failingStreak: 0, lastOutput: 'fine\n' });
    assert.deepEqual(found.healthCheck, { test: ['CMD-SHELL', 'echo fine'], timeoutMs: 3000, intervalMs: 200 });
  });

  it('whose name is taken is refused as name_taken, whose image is missing as not_found', async () => {
    const name = uniqueName();
    await engine.createContainer(name, sleeper(), signal);
    await assert.rejects(engine.createContainer(name, sleeper(), signal), is('name_taken'));
    await assert.rejects(engine.createContainer(uniqueName(), sleeper({ Image: 'eng-test/nosuch:1' }), signal), is('not_found'));
  });

  it('whose port another container or a process holds is refused as port_taken', async () => {
    const port = await freePort();
    const publish = {
      ExposedPorts: { '80/tcp': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] } },
    };
    const first = await run(publish);
    assert.deepEqual((await detail(first)).ports, [{ containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: port }]);
    await assert.rejects(run(publish), is('port_taken'));
    await engine.removeContainer(first, signal);

    const process = createServer();
    await new Promise<void>((resolve) => process.listen(port, '127.0.0.1', resolve));
    await assert.rejects(run(publish), is('port_taken'));
    await new Promise((resolve) => process.close(resolve));
  });

  it('whose command is missing is refused at its start, and keeps the engine’s message', async () => {
    const id = await engine.createContainer(uniqueName(), sleeper({ Cmd: ['nosuch'] }), signal);
    await assert.rejects(engine.startContainer(id, signal), is('refused'));
    assert.match((await detail(id)).error, /executable file not found/);
  });
});
