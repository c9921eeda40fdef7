import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Dependency } from '../../src/compose/model.ts';
import type { Existing } from '../../src/reset/existing.ts';
import type { PlanInput } from '../../src/reset/input.ts';
import { planReset } from '../../src/reset/plan.ts';
import { type PlanStep, printPlan } from '../../src/reset/step.ts';
import { input, nothing, service, subject } from './reset-helpers.ts';

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
  test('gives the first of services of one image that wait for nothing a start ahead of the others, and nobody else', () => {
    const pd = (name: string) => service(name, { image: 'pd' });
    const plan = planReset(
      subject([
        pd('a'),
        pd('b'),
        service('other', { image: 'x' }),
        service('late', { image: 'pd', dependsOn: [needs('a', 'service_started')] }),
      ]),
      input({ containers: [], networks: [], volumes: [] }),
    );
    assert.deepEqual(
      ['a', 'b', 'other'].map((name) => waitsFor(plan, `container.start ${name}`, 'container.start a')),
      [false, true, false],
    );
    assert.ok(!waitsFor(plan, 'container.create b', 'container.start a'), 'it is made meanwhile');
    assert.ok(!waitsFor(plan, 'container.start b', 'node.await a'), 'a cluster that forms may need it to become ready');
    assert.ok(!waitsFor(plan, 'container.start late', 'container.start b'));
  });

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
