import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiContainer } from '../../src/engine/api.ts';
import { hasLabels } from '../../src/engine/events.ts';
import { timeOf, toContainerDetail, toContainerSummary, toEngineEvent, toImageDetail, toNetworkDetail } from '../../src/engine/map.ts';

const id = 'ab'.repeat(32);

function container(change: Partial<ApiContainer> = {}): ApiContainer {
  return {
    Id: id,
    Name: '/tikv-pd0-1',
    Image: 'sha256:1',
    RestartCount: 2,
    State: {
      Status: 'running',
      Running: true,
      Pid: 7,
      ExitCode: 0,
      OOMKilled: false,
      Error: '',
      StartedAt: '2026-11-22T02:36:43.729596556Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    Config: { Labels: { a: 'b' }, Healthcheck: { Test: ['CMD', 'true'], Interval: 2_500_000_000 } },
    HostConfig: { NetworkMode: 'tikv_default' },
    NetworkSettings: {
      Networks: { tikv_default: { NetworkID: 'n1', IPAddress: '10.0.0.2', GlobalIPv6Address: '', Gateway: '10.0.0.1' } },
      Ports: { '2379/tcp': [{ HostIp: '127.0.0.1', HostPort: '2379' }], '2380/tcp': null },
    },
    Mounts: [
      { Type: 'volume', Name: 'data', Source: '/v', Destination: '/data' },
      { Type: 'tmpfs', Destination: '/run' },
    ],
    ...change,
  };
}

describe('a container', () => {
  it('is the port’s in full', () => {
    assert.deepEqual(toContainerDetail(container()), {
      id,
      name: 'tikv-pd0-1',
      imageId: 'sha256:1',
      labels: { a: 'b' },
      state: 'running',
      pid: 7,
      exitCode: 0,
      oomKilled: false,
      error: '',
      restartCount: 2,
      startedAt: Date.parse('2026-11-22T02:36:43.729Z'),
      finishedAt: null,
      health: null,
      healthCheck: { test: ['CMD', 'true'], timeoutMs: 30_000, intervalMs: 2500 },
      networkMode: 'tikv_default',
      networks: [{ name: 'tikv_default', id: 'n1', ipv4: '10.0.0.2', ipv6: null, gateway: '10.0.0.1' }],
      ports: [{ containerPort: 2379, protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 2379 }],
      mounts: [
        { type: 'volume', name: 'data', source: '/v', destination: '/data' },
        { type: 'tmpfs', name: null, source: '', destination: '/run' },
      ],
    });
  });

  it('is read from the least that an engine may say', () => {
    const least = container({
      RestartCount: 0,
      Config: {},
      HostConfig: {},
      NetworkSettings: {},
      State: { Status: 'created', Running: false },
    });
    delete least.Mounts;
    const detail = toContainerDetail(least);
    assert.deepEqual([detail.labels, detail.networks, detail.ports, detail.mounts], [{}, [], [], []]);
    assert.deepEqual([detail.state, detail.startedAt, detail.health, detail.healthCheck], ['created', null, null, null]);
  });

  it('has no health check when the image’s was switched off, and no health when the engine says none', () => {
    const off = container({ Config: { Healthcheck: { Test: ['NONE'] } } });
    assert.equal(toContainerDetail(off).healthCheck, null);
    const state = { Status: 'running', Running: true, Health: { Status: 'none' } };
    assert.equal(toContainerDetail(container({ State: state })).health, null);
  });

  it('shows the last output of its health check', () => {
    const state = {
      Status: 'running',
      Running: true,
      Health: { Status: 'unhealthy', FailingStreak: 3, Log: [{ Output: 'old' }, { Output: 'new' }] },
    };
    assert.deepEqual(toContainerDetail(container({ State: state })).health, { status: 'unhealthy', failingStreak: 3, lastOutput: 'new' });
  });

  it('of a state that a later engine adds counts by whether it runs', () => {
    assert.equal(toContainerDetail(container({ State: { Status: 'stopping', Running: true } })).state, 'running');
    assert.equal(toContainerDetail(container({ State: { Status: 'shelved', Running: false } })).state, 'exited');
  });

  it('in a list has its own name, not a link’s', () => {
    const summary = toContainerSummary({
      Id: id,
      Names: ['/web/alias', '/redis'],
      Image: 'r',
      ImageID: 'i',
      State: 'exited',
      Labels: null,
    });
    assert.deepEqual([summary.name, summary.labels, summary.networks], ['redis', {}, {}]);
  });
});

describe('times', () => {
  it('that never were are null', () => {
    for (const text of ['0001-01-01T00:00:00Z', '', undefined, 'nonsense']) assert.equal(timeOf(text), null);
  });
});

describe('a network and an image', () => {
  it('may have nulls for lists', () => {
    const network = toNetworkDetail({ Id: 'n', Name: 'x', Driver: 'null', Labels: null, IPAM: { Config: null }, Containers: null });
    assert.deepEqual([network.labels, network.subnets, network.containers], [{}, [], []]);
    assert.deepEqual([network.internal, network.enableIpv6, network.options, network.gateways], [false, false, {}, []]);
    assert.deepEqual(toImageDetail({ Id: 'i', RepoTags: null, Config: null }), { id: 'i', tags: [], volumes: [], labels: {} });
  });

  it('give addresses without the prefix length', () => {
    const network = toNetworkDetail({
      Id: 'n',
      Name: 'x',
      Driver: 'bridge',
      Containers: { c: { Name: 'a', IPv4Address: '10.0.0.2/24' }, d: { Name: 'b' } },
    });
    assert.deepEqual(
      network.containers.map((c) => c.ipv4),
      ['10.0.0.2', null],
    );
  });
});

describe('an event', () => {
  const event = toEngineEvent({
    Type: 'container',
    Action: 'die',
    Actor: { ID: 'c', Attributes: { app: 'x', 'a.b': 'c=d' } },
    timeNano: Number('1795315004536912626'),
  });

  it('keeps the microsecond', () => assert.ok(Math.abs((event?.atSeconds ?? 0) - 1795315004.536912) < 2e-6));

  it('of another type is left out', () =>
    assert.equal(toEngineEvent({ Type: 'image', Action: 'tag', Actor: { ID: 'x' }, timeNano: 1 }), null));

  it('passes when it carries all labels', () => {
    assert.ok(event);
    assert.equal(hasLabels(event, []), true);
    assert.equal(hasLabels(event, ['app', 'app=x', 'a.b=c=d']), true);
    assert.equal(hasLabels(event, ['app=x', 'other']), false);
    assert.equal(hasLabels(event, ['app=y']), false);
  });

  it('of a network always passes, as it carries no labels', () => {
    const network = toEngineEvent({ Type: 'network', Action: 'connect', Actor: { ID: 'n', Attributes: null }, timeNano: 1 });
    assert.ok(network && hasLabels(network, ['app']));
  });
});
