import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { after, before } from 'node:test';
import { parseDockerHost } from '../../src/engine/connection.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import { type ContainerCreate, EngineError, type EngineErrorReason, type EngineEvent } from '../../src/engine/port.ts';
import { deadline, until } from '../../src/lib/until.ts';

export const image = 'debian:trixie-slim';
export const label = 'io.subjectd.test=engine';
export const labels = { 'io.subjectd.test': 'engine' };
export const engine = createEngine();
export const signal = AbortSignal.timeout(1_800_000);
let count = 0;
export const uniqueName = () => `eng-test-${process.pid}-${++count}`;

export const is = (reason: EngineErrorReason) => (error: unknown) => {
  assert.ok(error instanceof EngineError, String(error));
  assert.equal(error.reason, reason, error.message);
  return true;
};

export function sleeper(change: Partial<ContainerCreate> = {}): ContainerCreate {
  return { Image: image, Cmd: ['sleep', 'infinity'], Labels: labels, HostConfig: {}, ...change };
}

export async function run(change: Partial<ContainerCreate> = {}): Promise<string> {
  const id = await engine.createContainer(uniqueName(), sleeper(change), signal);
  await engine.startContainer(id, signal);
  return id;
}

/** Waits for the end of a container's own command. */
export async function exited(id: string): Promise<void> {
  using limit = deadline('the container ends', 60_000, signal);
  await until(async (inner) => ((await engine.inspectContainer(id, inner))?.state === 'exited' ? true : undefined), 50, limit);
}

export async function detail(id: string) {
  const found = await engine.inspectContainer(id, signal);
  assert.ok(found);
  return found;
}

/** A promise and its key, for a callback to open. */
export function gate(): { passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address && typeof address === 'object');
  return address.port;
}

/** The port has no need of it. */
export async function removeImage(ref: string): Promise<void> {
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

export async function nextOf(events: AsyncIterator<EngineEvent>, wanted: (event: EngineEvent) => boolean): Promise<EngineEvent> {
  for (;;) {
    const { value, done } = await events.next();
    assert.ok(!done, 'the event stream ended');
    if (wanted(value)) return value;
  }
}

/** What earlier tests left is removed before the tests of a file, what these leave after them. */
export function swept(): void {
  before(sweep);
  after(async () => {
    await sweep();
    await engine.close();
  });
}
