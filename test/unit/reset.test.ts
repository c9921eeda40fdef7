import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Dependency, Project, Service } from '../../src/compose/model.ts';
import type { ContainerDetail } from '../../src/engine/port.ts';
import type { Adapter } from '../../src/kind/adapter.ts';
import type { Subject } from '../../src/kind/subject.ts';
import type { Existing } from '../../src/reset/existing.ts';
import type { PlanInput } from '../../src/reset/input.ts';
import { knock } from '../../src/reset/knock.ts';
import { planReset } from '../../src/reset/plan.ts';
import { parseRoutes } from '../../src/reset/routes.ts';
import { type PlanStep, printPlan } from '../../src/reset/step.ts';
import { chooseSubnet, overlaps, parseRange, pinAddresses, type Range } from '../../src/reset/subnet.ts';
import { judge } from '../../src/reset/verdict.ts';

const at = { file: 'compose.yaml', line: 1, column: 1 };

function service(name: string, more: Partial<Service> = {}): Service {
  return {
    name,
    containerName: `p-${name}-1`,
    image: 'img',
    platform: null,
    pullPolicy: 'missing',
    logging: null,
    command: null,
    entrypoint: null,
    environment: {},
    labels: {},
    user: null,
    workingDir: null,
    hostname: null,
    stopSignal: null,
    stopGraceMs: null,
    init: null,
    tty: false,
    stdinOpen: false,
    readOnly: false,
    capAdd: [],
    capDrop: [],
    securityOpt: [],
    sysctls: {},
    ulimits: [],
    extraHosts: [],
    dns: [],
    shmSizeBytes: null,
    memoryBytes: null,
    cpus: null,
    pidsLimit: null,
    oomScoreAdj: null,
    restart: { policy: 'no', maxRetries: 0 },
    ports: [],
    expose: [],
    mounts: [],
    configs: [],
    secrets: [],
    networks: [{ network: 'default', aliases: [name], ipv4: null, ipv6: null }],
    networkMode: null,
    dependsOn: [],
    healthCheck: null,
    at,
    ...more,
  };
}

function subject(services: Service[]): Subject {
  const project: Project = {
    name: 'p',
    file: '/k/compose.yaml',
    workingDir: '/k',
    services,
    networks: [
      {
        key: 'default',
        name: 'p_default',
        external: false,
        driver: null,
        driverOpts: {},
        internal: false,
        enableIpv6: false,
        subnets: [],
        labels: {},
      },
    ],
    volumes: [{ key: 'data', name: 'p_data', driver: null, driverOpts: {}, labels: {}, bounded: null }],
    hash: 'h',
  };
  const adapter = { kind: 'k', nodeTypes: { db: 'db', app: 'app' } } as unknown as Adapter;
  return { name: 'p', kind: { name: 'k', dir: '/k', composeFile: '/k/compose.yaml', adapter }, project, portShift: 0 };
}

const nothing: Existing = { containers: [], networks: [], volumes: [] };

function input(existing: Existing = nothing, volumes: string[] = []): PlanInput {
  return {
    owner: 'own_1',
    generation: 2,
    existing,
    images: new Map([['img', { use: 'img', volumes }]]),
    subnets: new Map([['default', '10.0.0.0/24']]),
    addresses: new Map([['default', new Map([['db', '10.0.0.128']])]]),
    guests: new Map(),
    self: null,
    keepNetworks: true,
    bounded: true,
    apiVersion: '1.41',
  };
}

/** The subject's network as the engine has it after a reset. */
const asMade: Existing['networks'][number] = {
  id: 'n1',
  name: 'p_default',
  guests: [],
  shape: {
    driver: 'bridge',
    internal: false,
    enableIpv6: false,
    options: {},
    labels: {
      'com.docker.compose.project': 'p',
      'io.subjectd.owner': 'own_1',
      'io.subjectd.subject': 'p',
      'com.docker.compose.network': 'default',
    },
    subnets: ['10.0.0.0/24'],
    gateways: [null],
  },
};

const old = (name: string, volumes: string[] = []) => ({ id: `id-${name}`, name, volumes, hostPorts: [] });

/** True when `step` waits for `other`, itself or through others. */
function waitsFor(plan: readonly PlanStep[], step: string, other: string): boolean {
  const after = plan.find((s) => s.id === step)?.after ?? [];
  return after.includes(other) || after.some((id) => waitsFor(plan, id, other));
}

const needs = (name: string, condition: Dependency['condition']): Dependency => ({ service: name, condition, required: true });

describe('the plan of a reset', () => {
  test('burns what is there, creates everything, and starts in the order of the dependencies', () => {
    const db = service('db', { mounts: [{ type: 'volume', volume: 'data', target: '/data', readOnly: false, noCopy: false }] });
    const app = service('app', { dependsOn: [needs('db', 'service_healthy')] });
    const existing: Existing = {
      containers: [old('p-db-1', ['p_data']), old('p-app-1')],
      networks: [{ ...asMade, guests: [{ id: 'g1', name: 'runner' }] }],
      volumes: [{ name: 'p_data', bounded: false }],
    };
    assert.equal(
      printPlan(planReset(subject([db, app]), { ...input(existing), guests: new Map([['default', ['g1']]]) })),
      `container.kill p-db-1 (nothing of the generation before may run when the next one starts)
container.kill p-app-1 (nothing of the generation before may run when the next one starts)
container.remove p-db-1 <- container.kill p-db-1 (it belongs to the generation before)
container.remove p-app-1 <- container.kill p-app-1 (it belongs to the generation before)
network.disconnect p_default runner (a network cannot be removed while somebody is on it)
network.remove p_default n1 <- container.remove p-db-1, container.remove p-app-1, network.disconnect p_default runner (it belongs to the generation before)
volume.remove p_data <- container.remove p-db-1 (it holds data of the generation before)
network.create p_default <- network.remove p_default n1 (network default of the compose file)
volume.create p_data <- volume.remove p_data (volume data of the compose file)
network.connect p_default g1 <- network.create p_default (it was on this network, or must reach the nodes)
container.create db <- container.remove p-db-1, network.create p_default, volume.create p_data (service db)
container.start db <- container.create db, container.kill p-db-1, container.kill p-app-1 (service db)
node.await db <- container.start db (db must be ready before the subject is)
container.create app <- container.remove p-app-1, network.create p_default, container.start db (service app)
container.start app <- container.create app, container.kill p-db-1, container.kill p-app-1, node.await db (service app)
node.await app <- container.start app (app must be ready before the subject is)`,
    );
  });

  test('keeps a network that is as it should be, and starts nothing before it was seen that nobody is left on it', () => {
    const existing: Existing = { containers: [old('p-db-1')], networks: [asMade], volumes: [] };
    assert.equal(
      printPlan(planReset(subject([service('db')]), input(existing))),
      `container.kill p-db-1 (nothing of the generation before may run when the next one starts)
container.remove p-db-1 <- container.kill p-db-1 (it belongs to the generation before)
network.keep p_default n1 <- container.kill p-db-1 (it is as the compose file wants it, and nobody else is on it)
volume.create p_data (volume data of the compose file)
container.create db <- container.remove p-db-1 (service db)
container.start db <- container.create db, container.kill p-db-1, network.keep p_default n1 (service db)
node.await db <- container.start db (db must be ready before the subject is)`,
    );
  });

  test('makes a network anew that differs in anything, that somebody is on, or that is there twice', () => {
    const { shape } = asMade;
    const differing: Existing['networks'][] = [
      [{ ...asMade, shape: { ...shape, driver: 'macvlan' } }],
      [{ ...asMade, shape: { ...shape, internal: true } }],
      [{ ...asMade, shape: { ...shape, enableIpv6: true } }],
      [{ ...asMade, shape: { ...shape, options: { 'com.docker.network.driver.mtu': '1400' } } }],
      [{ ...asMade, shape: { ...shape, labels: { ...shape.labels, more: 'x' } } }],
      [{ ...asMade, shape: { ...shape, labels: { ...shape.labels, 'io.subjectd.owner': 'own_2' } } }],
      [{ ...asMade, shape: { ...shape, subnets: ['10.0.1.0/24'] } }],
      [{ ...asMade, shape: { ...shape, subnets: ['10.0.0.0/24', '10.0.1.0/24'], gateways: [null, null] } }],
      [{ ...asMade, shape: { ...shape, gateways: ['10.0.0.9'] } }],
      [{ ...asMade, guests: [{ id: 'g1', name: 'runner' }] }],
      [asMade, { ...asMade, id: 'n2' }],
    ];
    const ops = (networks: Existing['networks'], more: Partial<PlanInput> = {}) =>
      planReset(subject([service('db')]), { ...input({ ...nothing, networks }), ...more }).map((s) => s.op);
    assert.ok(ops([asMade]).includes('network.keep'));
    assert.ok(ops([{ ...asMade, shape: { ...shape, gateways: ['10.0.0.1'] } }]).includes('network.keep'));
    for (const networks of differing) {
      assert.ok(ops(networks).includes('network.create'), JSON.stringify(networks));
      assert.ok(!ops(networks).includes('network.keep'), JSON.stringify(networks));
    }
    assert.ok(!ops([asMade], { keepNetworks: false }).includes('network.keep'));
    assert.ok(!ops([asMade], { subnets: new Map() }).includes('network.keep'), 'the engine would choose the range');
  });

  test('leaves the service itself on a network that is kept, and puts it there when it was not', () => {
    const plan = (guests: Existing['networks'][number]['guests']) =>
      planReset(subject([service('db')]), {
        ...input({ ...nothing, networks: [{ ...asMade, guests }] }),
        guests: new Map([['default', ['self']]]),
        self: 'self',
      });
    const stays = plan([{ id: 'self', name: 'subjectd' }]);
    const keep = stays.find((s) => s.op === 'network.keep');
    assert.ok(keep?.op === 'network.keep');
    assert.deepEqual(keep.guests, ['self']);
    assert.ok(!stays.some((s) => s.op === 'network.connect'));
    assert.ok(plan([]).some((s) => s.op === 'network.connect' && s.container === 'self' && s.after[0]?.startsWith('network.keep')));
  });

  test('nothing starts before all of the generation before are dead, and no volume goes before those that mount it', () => {
    const names = ['a', 'b', 'c', 'd'];
    const edges = fc.array(fc.record({ from: fc.nat(3), to: fc.nat(3) }), { maxLength: 6 });
    const there = fc.subarray([...names.map((n) => `p-${n}-1`), 'p-gone-1']);
    fc.assert(
      fc.property(edges, there, fc.boolean(), (list, containers, asItWas) => {
        const services = names.map((name, i) =>
          service(name, {
            dependsOn: list.filter((e) => e.from === i && e.to < i).map((e) => needs(names[e.to] ?? '', 'service_healthy')),
          }),
        );
        const existing: Existing = {
          containers: containers.map((name, i) => old(name, i % 2 === 0 ? ['p_data'] : [])),
          networks: asItWas ? [asMade] : [{ ...asMade, shape: { ...asMade.shape, internal: true } }],
          volumes: [{ name: 'p_data', bounded: false }],
        };
        const plan = planReset(subject(services), input(existing));
        for (const start of plan.filter((s) => s.op === 'container.start'))
          for (const name of containers) assert.ok(waitsFor(plan, start.id, `container.kill ${name}`), `${start.id} and ${name}`);
        for (const c of existing.containers)
          assert.equal(waitsFor(plan, 'volume.remove p_data', `container.remove ${c.name}`), c.volumes.length > 0);
        for (const name of names)
          if (containers.includes(`p-${name}-1`)) assert.ok(waitsFor(plan, `container.create ${name}`, `container.remove p-${name}-1`));
      }),
    );
  });

  test('an image’s anonymous volume becomes a labelled one', () => {
    const plan = planReset(subject([service('db')]), input(nothing, ['/var/lib/db']));
    const volume = plan.find((s) => s.op === 'volume.create' && s.cause.startsWith('anonymous'));
    assert.ok(volume?.op === 'volume.create');
    assert.equal(volume.body.Labels['com.docker.compose.project'], 'p');
    const create = plan.find((s) => s.op === 'container.create');
    assert.ok(create?.op === 'container.create');
    assert.deepEqual(create.body.HostConfig.Mounts, [{ Type: 'volume', Source: volume.body.Name, Target: '/var/lib/db' }]);
    assert.ok(create.after.includes(volume.id));
  });

  test('containers carry Compose’s labels, ours, and the pinned address', () => {
    const create = planReset(subject([service('db')]), input()).find((s) => s.op === 'container.create');
    assert.ok(create?.op === 'container.create');
    const { Labels, NetworkingConfig } = create.body;
    assert.equal(Labels['com.docker.compose.service'], 'db');
    assert.equal(Labels['com.docker.compose.container-number'], '1');
    assert.equal(Labels['io.subjectd.owner'], 'own_1');
    assert.equal(Labels['io.subjectd.generation'], '2');
    assert.deepEqual(NetworkingConfig?.EndpointsConfig.p_default, { Aliases: ['db'], IPAMConfig: { IPv4Address: '10.0.0.128' } });
  });

  test('every step that a plan waits for is in the plan', () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const conditions = fc.constantFrom<Dependency['condition']>('service_started', 'service_healthy', 'service_completed_successfully');
    const edges = fc.array(fc.record({ from: fc.nat(4), to: fc.nat(4), condition: conditions }), { maxLength: 8 });
    fc.assert(
      fc.property(edges, (list) => {
        const services = names.map((name, i) =>
          service(name, { dependsOn: list.filter((e) => e.from === i && e.to < i).map((e) => needs(names[e.to] ?? '', e.condition)) }),
        );
        const plan = planReset(subject(services), input());
        const ids = new Set(plan.map((s) => s.id));
        assert.equal(ids.size, plan.length);
        for (const step of plan) for (const id of step.after) assert.ok(ids.has(id), `${step.id} waits for ${id}`);
      }),
    );
  });
});

describe('subnets', () => {
  const pool = parseRange('10.201.0.0/16') as Range;
  test('a chosen subnet is in the pool and overlaps nothing taken; the same name gets the same one', () => {
    const ranges = fc.array(
      fc
        .record({ first: fc.nat(0xffff).map((n) => pool.first + (n & 0xff00)), bits: fc.constantFrom(20, 22, 24) })
        .map((r) => ({ first: Math.floor(r.first / 2 ** (32 - r.bits)) * 2 ** (32 - r.bits), bits: r.bits })),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.string(), ranges, (name, taken) => {
        const chosen = chooseSubnet(pool, name, taken);
        const range = parseRange(chosen ?? '');
        assert.ok(range !== null && overlaps(range, pool) && !taken.some((t) => overlaps(t, range)));
        assert.equal(chooseSubnet(pool, name, taken), chosen);
      }),
    );
  });

  test('a full pool gives none', () => {
    assert.equal(chooseSubnet(pool, 'x', [pool]), null);
  });

  test('pinned addresses are in the upper half, differ, and avoid those the file asks for', () => {
    const pinned = pinAddresses('10.0.0.0/24', ['a', 'b', 'c'], ['10.0.0.129']);
    assert.deepEqual(
      [...pinned],
      [
        ['a', '10.0.0.128'],
        ['b', '10.0.0.130'],
        ['c', '10.0.0.131'],
      ],
    );
  });

  test('the kernel’s routes are read, the default route is not one', () => {
    const table =
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
    assert.deepEqual(parseRoutes(table), [parseRange('192.168.1.0/24')]);
  });
});

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
