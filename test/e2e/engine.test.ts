import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { build } from 'esbuild';
import { parseDockerHost } from '../../src/engine/connection.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import { type ContainerCreate, EngineError, type EngineErrorReason, type EngineEvent } from '../../src/engine/port.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { EngineProxy } from './engine-proxy.ts';
import { startRegistry } from './engine-registry.ts';

const image = 'debian:trixie-slim';
const label = 'io.subjectd.test=engine';
const labels = { 'io.subjectd.test': 'engine' };
const engine = createEngine();
const signal = AbortSignal.timeout(1_800_000);
let count = 0;
const uniqueName = () => `eng-test-${process.pid}-${++count}`;

const is = (reason: EngineErrorReason) => (error: unknown) => {
  assert.ok(error instanceof EngineError, String(error));
  assert.equal(error.reason, reason, error.message);
  return true;
};

function sleeper(change: Partial<ContainerCreate> = {}): ContainerCreate {
  return { Image: image, Cmd: ['sleep', 'infinity'], Labels: labels, HostConfig: {}, ...change };
}

async function run(change: Partial<ContainerCreate> = {}): Promise<string> {
  const id = await engine.createContainer(uniqueName(), sleeper(change), signal);
  await engine.startContainer(id, signal);
  return id;
}

/** Waits for the end of a container's own command. */
async function exited(id: string): Promise<void> {
  using limit = deadline('the container ends', 60_000, signal);
  await until(async (inner) => ((await engine.inspectContainer(id, inner))?.state === 'exited' ? true : undefined), 50, limit);
}

async function detail(id: string) {
  const found = await engine.inspectContainer(id, signal);
  assert.ok(found);
  return found;
}

/** A promise and its key, for a callback to open. */
function gate(): { passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address && typeof address === 'object');
  return address.port;
}

/** The port has no need of it. */
async function removeImage(ref: string): Promise<void> {
  const connection = parseDockerHost(process.env.DOCKER_HOST);
  const host = 'socketPath' in connection ? connection : { host: connection.hostname, port: connection.port };
  await new Promise((resolve, reject) => {
    request({ ...host, method: 'DELETE', path: `/images/${ref}` }, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });
}

async function sweep(): Promise<void> {
  for (const { id } of await engine.listContainers([label], signal)) await engine.removeContainer(id, signal);
  for (const network of await engine.listNetworks(signal)) {
    if (network.labels['io.subjectd.test'] === 'engine') await engine.removeNetwork(network.id, signal);
  }
  for (const { name } of await engine.listVolumes([label], signal)) await engine.removeVolume(name, signal);
}

before(sweep);
after(async () => {
  await sweep();
  await engine.close();
});

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

describe('files', () => {
  it('are put into a created container with mode and owner, and leave the folders as they are', async () => {
    const id = await engine.createContainer(uniqueName(), sleeper(), signal);
    const file = (path: string, mode: number, uid = 0) => ({ path, content: Buffer.from(path), mode, uid, gid: uid });
    const files = [file('/opt/new/deep/secret', 0o400, 1234), file('/tmp/script', 0o755), file('/var/run/through-link', 0o644)];
    await engine.putFiles(id, files, signal);
    await engine.startContainer(id, signal);
    const paths = ['/opt/new', '/opt/new/deep', '/opt/new/deep/secret', '/tmp', '/tmp/script', '/run/through-link', '/var/run'];
    const { stdout, stderr } = await engine.exec(id, ['stat', '-c', '%a %u:%g %F %n', ...paths], signal);
    assert.equal(stderr, '');
    assert.deepEqual(stdout.trim().split('\n'), [
      '755 0:0 directory /opt/new',
      '755 0:0 directory /opt/new/deep',
      '400 1234:1234 regular file /opt/new/deep/secret',
      '1777 0:0 directory /tmp',
      '755 0:0 regular file /tmp/script',
      '644 0:0 regular file /run/through-link',
      '777 0:0 symbolic link /var/run',
    ]);
    assert.equal((await engine.exec(id, ['cat', '/opt/new/deep/secret'], signal)).stdout, '/opt/new/deep/secret');
  });

  it('for a container that is not there are not_found', async () => {
    await assert.rejects(engine.putFiles('eng-test-nosuch', [], signal), is('not_found'));
  });
});

describe('the log tail', () => {
  it('has the last lines of both streams', async () => {
    const id = await run({ Cmd: ['sh', '-c', 'for i in 1 2 3 4; do echo out $i; done; echo; echo "grüße" >&2; printf unfinished'] });
    await exited(id);
    const lines = await engine.logTail(id, 100, signal);
    // The two streams reach the engine through two pipes, so only the order within one is certain.
    assert.deepEqual(
      lines.filter((line) => line !== 'grüße'),
      ['out 1', 'out 2', 'out 3', 'out 4', '', 'unfinished'],
    );
    assert.ok(lines.includes('grüße'));
    assert.equal((await engine.logTail(id, 2, signal)).length, 2);
    assert.deepEqual(await engine.logTail(id, 0, signal), []);
  });

  it('of a terminal is read raw', async () => {
    const id = await run({ Tty: true, Cmd: ['sh', '-c', 'echo one; echo two >&2'] });
    await exited(id);
    assert.deepEqual(await engine.logTail(id, 10, signal), ['one', 'two']);
  });

  it('is at most 64 KiB, and the last ones', async () => {
    const id = await run({ Cmd: ['sh', '-c', 'seq -f "%0100.0f" 1 5000'] });
    await exited(id);
    const lines = await engine.logTail(id, 5000, signal);
    assert.ok(lines.join('').length <= 64 * 1024);
    assert.equal(Number(lines.at(-1)), 5000);
    assert.equal(lines.length, Math.floor((64 * 1024) / 100));
  });

  it('of a container that never started is empty', async () => {
    assert.deepEqual(await engine.logTail(await engine.createContainer(uniqueName(), sleeper(), signal), 10, signal), []);
  });
});

describe('a command in a container', () => {
  let id: string;
  before(async () => {
    id = await run();
  });

  it('gives its exit code and both outputs', async () => {
    const result = await engine.exec(id, ['sh', '-c', 'echo out; echo "fehler: ü" >&2; exit 3'], signal);
    assert.deepEqual(result, { exitCode: 3, stdout: 'out\n', stderr: 'fehler: ü\n' });
  });

  it('runs as the user and with the variables asked for, its arguments untouched by any shell', async () => {
    const options = { user: '1234:4321', env: { GREETING: 'a b=c' } };
    assert.equal((await engine.exec(id, ['sh', '-c', 'id -u; id -g; echo "$GREETING"'], signal, options)).stdout, '1234\n4321\na b=c\n');
    assert.equal((await engine.exec(id, ['printf', '%s', '$(id); "x" *'], signal)).stdout, '$(id); "x" *');
  });

  it('that is missing is 127, that cannot be executed is 126, with the reason in stderr', async () => {
    const missing = await engine.exec(id, ['nosuch'], signal);
    assert.deepEqual([missing.exitCode, missing.stdout], [127, '']);
    assert.match(missing.stderr, /executable file not found/);
    const plain = await engine.exec(id, ['/etc/passwd'], signal);
    assert.deepEqual([plain.exitCode, plain.stdout], [126, '']);
    assert.match(plain.stderr, /permission denied/);
  });

  it('keeps 126 and 127 of its own', async () => {
    assert.deepEqual(await engine.exec(id, ['sh', '-c', 'echo mine; exit 127'], signal), { exitCode: 127, stdout: 'mine\n', stderr: '' });
  });

  it('has each output cut at the limit and still runs to its end', async () => {
    const script = 'head -c 3000000 /dev/zero | tr "\\0" x; head -c 3000000 /dev/zero | tr "\\0" y >&2; exit 5';
    const small = await engine.exec(id, ['sh', '-c', script], signal, { maxBytes: 1000 });
    assert.deepEqual(small, { exitCode: 5, stdout: 'x'.repeat(1000), stderr: 'y'.repeat(1000) });
    const usual = await engine.exec(id, ['sh', '-c', script], signal);
    assert.deepEqual([usual.stdout.length, usual.stderr.length], [256 * 1024, 256 * 1024]);
  });

  it('is waited for when it closes its outputs before its end', async () => {
    assert.equal((await engine.exec(id, ['sh', '-c', 'exec >&- 2>&-; sleep 1; exit 9'], signal)).exitCode, 9);
  });

  it('whose signal aborts throws the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('no more');
    const asked = engine.exec(id, ['sh', '-c', 'touch /tmp/begun; sleep 4242'], controller.signal);
    const begun = async (inner: AbortSignal) =>
      (await engine.exec(id, ['test', '-e', '/tmp/begun'], inner)).exitCode === 0 ? true : undefined;
    await until(begun, 50, signal);
    controller.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
  });

  it('in a paused or stopped container is a conflict, in none not_found', async () => {
    const other = await run();
    await engine.pauseContainer(other, signal);
    await assert.rejects(engine.exec(other, ['true'], signal), is('conflict'));
    await engine.killContainer(other, 'SIGKILL', signal);
    await exited(other);
    await assert.rejects(engine.exec(other, ['true'], signal), is('conflict'));
    await assert.rejects(engine.exec('eng-test-nosuch', ['true'], signal), is('not_found'));
  });

  it('ends with its container, or was never started: never with success, never with 126', async () => {
    const other = await run();
    const asked = Array.from({ length: 4 }, () =>
      engine.exec(other, ['sleep', '60'], signal).then(
        (result) => assert.equal(result.exitCode, 137),
        (error: unknown) => is('conflict')(error),
      ),
    );
    await engine.killContainer(other, 'SIGKILL', signal);
    await Promise.all(asked);
  });

  it('never freezes half-way: a container paused under fire can be inspected, unpaused and removed', async () => {
    for (let round = 0; round < 5; round++) {
      const other = await run({ HostConfig: { NetworkMode: 'none' } });
      const fire = Array.from({ length: 6 }, () => engine.exec(other, ['true'], signal).catch((error: unknown) => is('conflict')(error)));
      await engine.pauseContainer(other, signal);
      using limit = deadline('the engine answers about a paused container', 30_000, signal);
      assert.equal((await engine.inspectContainer(other, limit))?.state, 'paused');
      await engine.unpauseContainer(other, limit);
      await engine.removeContainer(other, limit);
      await Promise.all(fire);
    }
  });

  it('can run in twenty calls at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => engine.exec(id, ['sh', '-c', `echo ${i}; exit ${i}`], signal)));
    assert.deepEqual(
      all,
      Array.from({ length: 20 }, (_, i) => ({ exitCode: i, stdout: `${i}\n`, stderr: '' })),
    );
  });
});

describe('a network', () => {
  const subnet = '10.213.77.0/24';

  it('is made, listed, joined with aliases and an address, left and removed; each undoing twice', async () => {
    const name = uniqueName();
    const body = { Name: name, Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } };
    const network = await engine.createNetwork(body, signal);
    assert.equal('CheckDuplicate' in body, false);
    const listed = (await engine.listNetworks(signal)).find((n) => n.id === network);
    assert.deepEqual(listed, { id: network, name, driver: 'bridge', labels, subnets: [subnet] });
    const id = await run();
    await engine.connectNetwork(network, id, { Aliases: ['node0'], IPAMConfig: { IPv4Address: '10.213.77.9' } }, signal);
    const joined = (await detail(id)).networks.find((n) => n.name === name);
    assert.deepEqual(joined, { name, id: network, ipv4: '10.213.77.9', ipv6: null, gateway: '10.213.77.1' });
    assert.equal((await engine.exec(id, ['getent', 'hosts', 'node0'], signal)).stdout.split(/\s+/)[0], '10.213.77.9');
    for (const ref of [network, name]) {
      const found = await engine.inspectNetwork(ref, signal);
      assert.deepEqual(
        found?.containers.map((c) => [c.id, c.ipv4]),
        [[id, '10.213.77.9']],
      );
    }
    assert.deepEqual((await engine.listContainers([label], signal)).find((c) => c.id === id)?.networks[name], network);
    await assert.rejects(engine.connectNetwork(network, id, {}, signal), is('conflict'));
    await assert.rejects(engine.removeNetwork(network, signal), is('conflict'));
    await engine.disconnectNetwork(network, id, false, signal);
    await engine.disconnectNetwork(network, id, false, signal);
    await engine.disconnectNetwork(network, 'eng-test-nosuch', true, signal);
    await engine.removeNetwork(network, signal);
    await engine.removeNetwork(network, signal);
    assert.equal(await engine.inspectNetwork(network, signal), null);
  });

  it('of a taken name or an overlapping subnet is a conflict', async () => {
    const name = uniqueName();
    const network = await engine.createNetwork({ Name: name, Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } }, signal);
    await assert.rejects(engine.createNetwork({ Name: name, Labels: labels }, signal), is('conflict'));
    const overlapping = { Name: uniqueName(), Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } };
    await assert.rejects(engine.createNetwork(overlapping, signal), is('conflict'));
    await engine.removeNetwork(network, signal);
  });

  it('that a created container is given is there at its start', async () => {
    const name = uniqueName();
    const network = await engine.createNetwork({ Name: name, Labels: labels, IPAM: { Config: [{ Subnet: subnet }] } }, signal);
    const id = await run({
      HostConfig: { NetworkMode: name },
      NetworkingConfig: { EndpointsConfig: { [name]: { Aliases: ['pinned'], IPAMConfig: { IPv4Address: '10.213.77.40' } } } },
    });
    assert.equal((await detail(id)).networks[0]?.ipv4, '10.213.77.40');
    await engine.removeContainer(id, signal);
    await engine.removeNetwork(network, signal);
  });
});

describe('a volume', () => {
  it('is made, listed by labels, kept while it is used, and removed; twice is success', async () => {
    const name = uniqueName();
    const body = { Name: name, Labels: { ...labels, 'io.subjectd.test.own': name } };
    await engine.createVolume(body, signal);
    await engine.createVolume(body, signal);
    assert.deepEqual(await engine.listVolumes([label, `io.subjectd.test.own=${name}`], signal), [{ name, labels: body.Labels }]);
    assert.deepEqual(await engine.listVolumes([`io.subjectd.test.own=${name}x`], signal), []);
    const id = await run({ HostConfig: { Mounts: [{ Type: 'volume', Source: name, Target: '/data' }] } });
    await assert.rejects(engine.removeVolume(name, signal), is('conflict'));
    await engine.removeContainer(id, signal);
    await engine.removeVolume(name, signal);
    await engine.removeVolume(name, signal);
  });
});

describe('an image', () => {
  it('is inspected by name and id, and null when it is not there', async () => {
    const found = await engine.inspectImage(image, signal);
    assert.ok(found);
    assert.ok(found.tags.includes(image));
    assert.equal((await engine.inspectImage(found.id, signal))?.id, found.id);
    for (const odd of ['eng-test/nosuch:1', '', '../version', 'a//b', 'UPPER CASE'])
      assert.equal(await engine.inspectImage(odd, signal), null);
  });

  it('is pulled with progress, and a pull that fails after it began throws', async () => {
    const registry = await startRegistry();
    try {
      const progress: string[] = [];
      await engine.pullImage(`${registry.host}/x:1`, (line) => progress.push(line), signal);
      assert.ok(
        progress.some((line) => /Pull complete|Already exists/.test(line)),
        progress.join('\n'),
      );
      const found = await engine.inspectImage(`${registry.host}/x:1`, signal);
      assert.deepEqual([found?.volumes, found?.labels], [['/data'], labels]);
      const begun: string[] = [];
      await assert.rejects(
        engine.pullImage(`${registry.host}/x:broken`, (line) => begun.push(line), signal),
        (error) => error instanceof EngineError && error.status === null,
      );
      assert.notDeepEqual(begun, []);
      await assert.rejects(
        engine.pullImage(`${registry.host}/x:nosuch`, () => {}, signal),
        is('not_found'),
      );
    } finally {
      await removeImage(`${registry.host}/x:1`);
      await registry.close();
    }
    await assert.rejects(
      engine.pullImage(`${registry.host}/x:2`, () => {}, signal),
      is('refused'),
    );
  });
});

async function nextOf(events: AsyncIterator<EngineEvent>, wanted: (event: EngineEvent) => boolean): Promise<EngineEvent> {
  for (;;) {
    const { value, done } = await events.next();
    assert.ok(!done, 'the event stream ended');
    if (wanted(value)) return value;
  }
}

describe('events', () => {
  it('tell a life in order: created, started, killed, dead, destroyed, with the network’s between', async () => {
    const own = `io.subjectd.test.own=${uniqueName()}`;
    const controller = new AbortController();
    const opened = gate();
    const seen: EngineEvent[] = [];
    const watched = (async () => {
      for await (const event of engine.events({ labels: [label, own], onOpen: () => opened.open() }, controller.signal)) {
        seen.push(event);
        if (event.type === 'container' && event.action === 'destroy') controller.abort();
      }
    })();
    await opened.passed;
    await engine.removeContainer(await run(), signal);
    const id = await run({ Labels: { ...labels, 'io.subjectd.test.own': own.split('=')[1] ?? '' } });
    await engine.killContainer(id, 'SIGKILL', signal);
    await exited(id);
    await engine.removeContainer(id, signal);
    await watched;

    const containers = seen.filter((event) => event.type === 'container');
    assert.ok(containers.every((event) => event.id === id));
    const order = containers.map((event) => event.action);
    // The engine reports the signal and the death it caused from two places: either may come first.
    assert.deepEqual([order.slice(0, 2), order.slice(2, 4).sort(), order.slice(4)], [['create', 'start'], ['die', 'kill'], ['destroy']]);
    assert.equal(containers.find((event) => event.action === 'die')?.attributes.exitCode, '137');
    assert.equal(containers.find((event) => event.action === 'kill')?.attributes.signal, '9');
    const joined = seen.filter((event) => event.type === 'network' && event.attributes.container === id).map((event) => event.action);
    assert.deepEqual(joined, ['connect', 'disconnect']);
  });

  it('are replayed from a time on', async () => {
    const own = uniqueName();
    const id = await run({ Labels: { ...labels, 'io.subjectd.test.own': own } });
    const controller = new AbortController();
    const startedAt = ((await detail(id)).startedAt ?? 0) / 1000;
    const events = engine
      .events({ labels: [`io.subjectd.test.own=${own}`], sinceSeconds: startedAt - 10 }, controller.signal)
      [Symbol.asyncIterator]();
    const started = await nextOf(events, (event) => event.action === 'start');
    assert.ok(Math.abs(started.atSeconds - startedAt) < 60);
    await events.return?.(undefined);
    const again = engine
      .events({ labels: [`io.subjectd.test.own=${own}`], sinceSeconds: started.atSeconds }, controller.signal)
      [Symbol.asyncIterator]();
    const first = await nextOf(again, (event) => event.type === 'container');
    assert.deepEqual([first.action, first.atSeconds], ['start', started.atSeconds]);
    await again.return?.(undefined);
  });

  it('from now on do not bring the past', async () => {
    const own = uniqueName();
    const id = await run({ Labels: { ...labels, 'io.subjectd.test.own': own } });
    const opened = gate();
    const events = engine.events({ labels: [`io.subjectd.test.own=${own}`], onOpen: () => opened.open() }, signal)[Symbol.asyncIterator]();
    const next = nextOf(events, (event) => event.type === 'container');
    await opened.passed;
    await engine.pauseContainer(id, signal);
    assert.equal((await next).action, 'pause');
    await events.return?.(undefined);
  });

  it('end when the signal aborts, before and after they are open', async () => {
    for await (const _ of engine.events({}, AbortSignal.abort())) assert.fail('an event of a stream that never was');
    const controller = new AbortController();
    for await (const _ of engine.events({ labels: ['io.subjectd.test.nobody'], onOpen: () => controller.abort() }, controller.signal));
  });
});

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

describe('the process itself', () => {
  const nodeImage = 'subjectd/node:20';
  let script: Buffer;

  before(async () => {
    assert.ok(await engine.inspectImage(nodeImage, signal), `the image ${nodeImage} is missing; set-up makes it`);
    const bundle = await build({
      stdin: {
        contents: `
          import { createEngine } from './src/engine/dockerode.ts';
          import { findSelf } from './src/engine/self.ts';
          const engine = createEngine({ dockerHost: 'unix:///engine.sock' });
          findSelf(engine, AbortSignal.timeout(30000)).then((self) => console.log(JSON.stringify(self))).finally(() => engine.close());`,
        resolveDir: new URL('../../', import.meta.url).pathname,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      write: false,
      target: 'node20',
      external: ['*.node', 'cpu-features'],
      logLevel: 'silent',
    });
    script = Buffer.from(bundle.outputFiles[0]?.contents ?? []);
  });

  async function ask(networkMode: string): Promise<{ id: string; said: unknown }> {
    const socket = parseDockerHost(process.env.DOCKER_HOST);
    assert.ok('socketPath' in socket, 'this test needs the engine on a socket');
    const id = await engine.createContainer(
      uniqueName(),
      sleeper({
        Image: nodeImage,
        Cmd: ['node', '/self.cjs'],
        HostConfig: { NetworkMode: networkMode, Mounts: [{ Type: 'bind', Source: socket.socketPath, Target: '/engine.sock' }] },
      }),
      signal,
    );
    await engine.putFiles(id, [{ path: '/self.cjs', content: script, mode: 0o644, uid: 0, gid: 0 }], signal);
    await engine.startContainer(id, signal);
    await exited(id);
    const lines = await engine.logTail(id, 20, signal);
    assert.equal((await detail(id)).exitCode, 0, lines.join('\n'));
    return { id, said: JSON.parse(lines.at(-1) ?? 'null') };
  }

  it('in a container finds that container', async () => {
    const { id, said } = await ask('bridge');
    assert.deepEqual(said, { inContainer: true, containerId: id, hostNetwork: false });
  });

  it('in a container on the host’s network says so', async () => {
    const { id, said } = await ask('host');
    assert.deepEqual(said, { inContainer: true, containerId: id, hostNetwork: true });
  });

  it('in a container that shares another’s network finds the other', async () => {
    const owner = await run();
    const { said } = await ask(`container:${owner}`);
    assert.deepEqual(said, { inContainer: true, containerId: owner, hostNetwork: false });
  });
});
