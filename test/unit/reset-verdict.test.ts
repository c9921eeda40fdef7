import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { ContainerDetail } from '../../src/engine/port.ts';
import { knock } from '../../src/reset/knock.ts';
import { judge } from '../../src/reset/verdict.ts';
import { service } from './reset-helpers.ts';

describe('the verdict on a starting container', () => {
  const base: ContainerDetail = {
    id: 'c',
    name: 'p-db-1',
    imageId: 'i',
    labels: {},
    state: 'running',
    pid: 1,
    exitCode: 0,
    oomKilled: false,
    error: '',
    restartCount: 0,
    startedAt: 1,
    finishedAt: null,
    health: null,
    healthCheck: null,
    networkMode: 'p_default',
    networks: [],
    ports: [],
    mounts: [],
  };
  const exited = (exitCode: number, restartCount = 0): ContainerDetail => ({ ...base, state: 'exited', exitCode, restartCount });

  test('a node that exits fails at once, whatever its code', () => {
    assert.equal(judge(service('db'), 'ready', exited(0), false).is, 'failed');
    assert.equal(judge(service('db'), 'ready', exited(1), false).is, 'failed');
  });

  test('a one-shot that ends with 0 is done; with another code it fails', () => {
    assert.equal(judge(service('x'), 'settled', exited(0), false).is, 'done');
    assert.equal(judge(service('x'), 'completed', exited(0), false).is, 'done');
    assert.equal(judge(service('x'), 'completed', exited(3), false).is, 'failed');
  });

  test('a node whose policy restarts it gets three tries', () => {
    const always = service('db', { restart: { policy: 'always', maxRetries: 0 } });
    assert.equal(judge(always, 'ready', exited(1, 1), false).is, 'waiting');
    assert.equal(judge(always, 'ready', exited(1, 4), false).is, 'failed');
  });

  test('running is done only when its check has passed', () => {
    assert.deepEqual(judge(service('db'), 'ready', base, false), { is: 'waiting', check: true });
    assert.deepEqual(judge(service('db'), 'ready', base, true), { is: 'done' });
  });

  test('a node’s port tells whether its check is worth a try, where it publishes one', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const at = (ipv4: string | null): ContainerDetail => ({
      ...base,
      networks: [{ name: 'p_default', id: 'n1', ipv4, ipv6: null, gateway: null }],
    });
    const publishing = (containerPort: number, protocol: 'tcp' | 'udp' = 'tcp') =>
      service('db', { ports: [{ containerPort, protocol, hostIp: '127.0.0.1', hostPort: null }] });
    assert.equal(await knock(publishing(port), at('127.0.0.1')), true);
    assert.equal(await knock(publishing(port), at(null)), null);
    assert.equal(await knock(publishing(port, 'udp'), at('127.0.0.1')), null);
    assert.equal(await knock(service('db'), at('127.0.0.1')), null);
    server.close();
    await once(server, 'close');
    assert.equal(await knock(publishing(port), at('127.0.0.1')), false);
  });

  test('a removed container is hopeless', () => {
    assert.equal(judge(service('db'), 'ready', null, false).is, 'failed');
  });
});
