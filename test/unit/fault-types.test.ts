import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Availability, ChaosType, Params } from '../../src/faults/chaos_type.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { checkParams } from '../../src/faults/params.ts';
import { chaosType, generalTypes } from '../../src/faults/registry.ts';
import type { Scene, SceneNode } from '../../src/faults/scene.ts';
import { type Busy, chooseTargets, defaultTarget } from '../../src/faults/target.ts';
import { pairsFor } from '../../src/faults/witness/trains.ts';
import type { Adapter } from '../../src/kind/adapter.ts';
import { Problem } from '../../src/lib/problem.ts';
import type { Capabilities } from '../../src/toolbox/protocol.ts';

const signal = new AbortController().signal;

function node(i: number, over: Partial<SceneNode> = {}): SceneNode {
  return {
    name: `n${i}`,
    type: 'cell',
    container: `p-n${i}-1`,
    containerId: `id${i}`,
    running: true,
    startedAt: 1,
    address: `10.0.0.${i}`,
    paused: false,
    networks: [
      { id: 'front', name: 'p_front', ipv4: `10.0.0.${i}`, ipv6: `fd00::${i}` },
      { id: 'back', name: 'p_back', ipv4: `10.0.1.${i}`, ipv6: null },
    ],
    hostNetwork: false,
    sharesNetworkWith: [],
    bounded: [{ volume: `p_n${i}`, path: '/data' }],
    memoryLimited: true,
    ...over,
  };
}

/** A scene without instruments: what is planned here asks nothing. */
const scene = (...nodes: SceneNode[]) => ({ subject: 'p', nodes }) as unknown as Scene;
const three = scene(node(1), node(2), node(3));
const target = (i: number) => ({ node: `n${i}`, container: `p-n${i}-1`, container_id: `id${i}` });
const named = (name: string) => chaosType({}, name);
const plan = (type: ChaosType, where: Scene, params: Record<string, unknown>, ...targets: ReturnType<typeof target>[]) =>
  type.plan(where, { fault: 'flt_1', targets, params: checkParams(type, params) }, signal);
const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;

describe('every chaos type', () => {
  test('has a name of its own, a schema that refuses what it does not know, and an undo for each node it touches', async () => {
    assert.equal(new Set(generalTypes.map((t) => t.name)).size, generalTypes.length);
    for (const type of generalTypes) {
      assert.throws(() => checkParams(type, { nonsense: 1, percent: 5, rate_kbit: 64 }), refused('invalid_request'), type.name);
    }
    for (const [name, params] of Object.entries({
      node_kill: {},
      node_pause: {},
      latency: {},
      packet_loss: { percent: 5 },
      bandwidth: { rate_kbit: 64 },
    })) {
      const { act, undo } = await plan(named(name), three, params, target(1), target(2));
      assert.deepEqual([act.length, undo.map((s) => s.container_id)], [2, ['id1', 'id2']], name);
    }
  });

  test('an unknown one names those there are', () => {
    assert.throws(
      () => named('x'),
      /^Error: Unknown chaos type: x\. Supported: \[none, node_kill, .*\]$|Unknown chaos type: x\. Supported: \[none, node_kill,/,
    );
  });
});

describe('latency', () => {
  const latency = named('latency');
  const check = (params: Record<string, unknown>) => latency.check(three, checkParams(latency, params));

  test('takes 50 to 150 ms by itself, or a middle and a jitter', async () => {
    const of = async (params: Record<string, unknown>) => (await plan(latency, three, params, target(1))).metadata;
    assert.deepEqual(await of({}), { min_ms: 50, max_ms: 150 });
    assert.deepEqual(await of({ min_ms: 10 }), { min_ms: 10, max_ms: 150 });
    assert.deepEqual(await of({ max_ms: 300 }), { min_ms: 50, max_ms: 300 });
    assert.deepEqual(await of({ delay_ms: 20, jitter_ms: 5 }), { min_ms: 15, max_ms: 25 });
    assert.deepEqual(await of({ delay_ms: 3, jitter_ms: 5 }), { min_ms: 0, max_ms: 8 });
  });

  test('refuses what makes no sense, and says what', () => {
    for (const params of [
      { min_ms: 20, max_ms: 10 },
      { min_ms: 200 },
      { max_ms: 20 },
      { jitter_ms: 1 },
      { min_ms: 1, max_ms: 2, delay_ms: 1 },
      { delay_ms: 9999, jitter_ms: 500 },
      { delay_ms: 0 },
      { peers: ['nobody'] },
      { min_ms: -1, max_ms: 2 },
    ])
      assert.throws(() => check(params), refused('invalid_request'), JSON.stringify(params));
  });

  test('tells the bounds that it takes by default, and only where they hold', () => {
    assert.deepEqual(checkParams(latency, {}), { min_ms: 50, max_ms: 150 });
    assert.deepEqual(checkParams(latency, { max_ms: 300 }), { max_ms: 300, min_ms: 50 });
    assert.deepEqual(checkParams(latency, { delay_ms: 20 }), { delay_ms: 20 });
    check({ delay_ms: 20, jitter_ms: 5 });
    check({ min_ms: 10 });
    assert.throws(() => check({ min_ms: 200 }), /params.min_ms: it is greater than max_ms \(200 > 150 by default\)/);
    assert.throws(() => check({ max_ms: 20 }), /\(50 by default > 20\)/);
  });

  test('with peers, names all their addresses and no other', async () => {
    const { act } = await plan(latency, three, { peers: ['n2', 'n1'] }, target(1));
    assert.deepEqual(
      act.map((s) => (s.op === 'net.delay' ? s.peers : [])),
      [['10.0.0.2', 'fd00::2', '10.0.1.2']],
    );
  });
});

describe('network_partition', () => {
  const partition = named('network_partition');

  test('cuts the target off from every other node, on every network, both ways', async () => {
    const { act, undo, metadata } = await plan(partition, three, {}, target(1));
    const others = ['10.0.0.2', 'fd00::2', '10.0.1.2', '10.0.0.3', 'fd00::3', '10.0.1.3'];
    assert.deepEqual(act, [{ op: 'net.drop', fault: 'flt_1', node: 'n1', container_id: 'id1', to: others, from: others }]);
    assert.deepEqual(undo, [{ op: 'net.clear', fault: 'flt_1', node: 'n1', container_id: 'id1' }]);
    assert.deepEqual([metadata.isolated_container, metadata.target_ips], ['p-n1-1', others]);
  });

  test('a direction is seen from the target', async () => {
    const of = async (direction: string) => {
      const [step] = (await plan(partition, three, { direction }, target(1))).act;
      return step?.op === 'net.drop' ? [step.to.length, step.from.length] : [];
    };
    assert.deepEqual(await of('to'), [0, 6]);
    assert.deepEqual(await of('from'), [6, 0]);
  });

  test('with groups, every two groups have the rules on one side at least', async () => {
    const groups = [['n1'], ['n2'], ['n3']];
    assert.deepEqual(partition.named(checkParams(partition, { groups })), ['n1', 'n2']);
    const { act } = await plan(partition, three, { groups }, target(1), target(2));
    assert.deepEqual(
      act.map((s) => s.node),
      ['n1', 'n2'],
    );
  });

  test('refuses groups that cannot be', () => {
    for (const params of [
      { groups: [['n1', 'n2', 'n3'], ['n1']] },
      { groups: [['n1'], ['n1', 'n2']] },
      { groups: [['n1'], ['x']] },
      { groups: [['n1']] },
      { groups: [['n1'], ['n2'], ['n3']], direction: 'to' },
    ])
      assert.throws(() => partition.check(three, checkParams(partition, params)), refused('invalid_request'), JSON.stringify(params));
    const host = scene(node(1, { hostNetwork: true }), node(2));
    assert.throws(() => partition.check(host, checkParams(partition, { groups: [['n1'], ['n2']] })), refused('no_candidate'));
  });
});

describe('disk_pressure', () => {
  const disk = named('disk_pressure');
  const mib = 1 << 20;
  // As ext4: some blocks are nobody's.
  const full = { total_bytes: 1020 * mib, used_bytes: 100 * mib, available_bytes: 900 * mib };
  const measured = (now: typeof full) => ({ ...three, toolbox: { call: async () => now } }) as unknown as Scene;

  test('fills up to the share, of a volume of limited size only', async () => {
    const { act, metadata } = await plan(disk, measured(full), { fill_percent: 80 }, target(1));
    assert.deepEqual(
      act.map((s) => (s.op === 'disk.fill' ? [s.volume, s.name, s.bytes] : [])),
      [['p_n1', '.subjectd-flt_1', 700 * mib]],
    );
    assert.deepEqual(metadata, { fill_percent: 80, fill_file: '/data/.subjectd-flt_1', fill_bytes: 700 * mib });
    const whole = await plan(disk, measured(full), { fill_percent: 100 }, target(1));
    assert.equal(whole.metadata.fill_bytes, 899 * mib, 'as much as a file can have');
    for (const path of ['/', '/etc', '/database', '/data/../etc'])
      await assert.rejects(plan(disk, measured(full), { path }, target(1)), refused('invalid_request'), path);
    await assert.rejects(
      plan(disk, measured({ ...full, used_bytes: 900 * mib, available_bytes: 100 * mib }), { fill_percent: 80 }, target(1)),
      refused('no_candidate'),
    );
  });
});

describe('the choice of targets', () => {
  const latency = named('latency');
  const choose = (request: object, busy: Busy = new Map(), nodes = three.nodes) =>
    chooseTargets({ type: latency, request, named: null, nodes, seed: 7, busy }, async () => []);
  const other = (chaos_type: string) => ({ id: 'flt_0', chaos_type }) as Fault;

  test('leaves out a node that has a fault of the same kind, and names that fault when the node was asked for', async () => {
    const busy: Busy = new Map([['n1', [{ fault: other('latency'), layer: 'delay' as const }]]]);
    assert.deepEqual((await choose({ type: 'cell', share: 'majority' }, busy)).selection.candidates, ['n2', 'n3']);
    await assert.rejects(
      choose({ node: 'n1' }, busy),
      (error: unknown) => refused('fault_conflict')(error) && (error as Problem).extra.fault === 'flt_0',
    );
    await assert.rejects(choose({ type: 'cell', share: 'all' }, busy), refused('fault_conflict'));
  });

  test('takes a node that has a fault of another kind', async () => {
    const busy: Busy = new Map([['n1', [{ fault: other('packet_loss'), layer: 'loss' as const }]]]);
    assert.equal((await choose({ node: 'n1' }, busy)).targets[0]?.node, 'n1');
  });

  test('what shares a network namespace shares its faults', async () => {
    const nodes = [node(1, { sharesNetworkWith: ['n2'] }), node(2, { sharesNetworkWith: ['n1'] }), node(3)];
    const busy: Busy = new Map([['n2', [{ fault: other('latency'), layer: 'delay' as const }]]]);
    await assert.rejects(choose({ node: 'n1' }, busy, nodes), refused('fault_conflict'));
  });

  test('a node that does not run, or is on the host’s network, is no candidate, and the answer says why', async () => {
    const nodes = [node(1, { running: false }), node(2, { hostNetwork: true })];
    await assert.rejects(choose({ node: 'n1' }, new Map(), nodes), /it does not run/);
    await assert.rejects(choose({ node: 'n2' }, new Map(), nodes), /host’s network/);
  });

  test('without a target it is the kind’s default, or the first type that can be hit', () => {
    const adapter = { defaultTarget: { type: 'cell' } } as unknown as Adapter;
    const nodes = [node(1, { bounded: [] }), node(2, { type: 'redis' })];
    assert.deepEqual(defaultTarget(named('disk_pressure'), adapter, nodes), { type: 'redis' });
    assert.deepEqual(defaultTarget(named('node_kill'), adapter, nodes), { type: 'cell' });
  });
});

describe('the mechanism of a network fault', () => {
  type Available = (scene: Scene, capabilities: Capabilities, params?: Params) => Availability;
  const all = { netem: true, tbf: true, nft_netdev: true, nfqueue: true, statistic: true, reasons: {} };
  const of = (name: string, can: Partial<Capabilities>, params?: Params) => {
    const found = (named(name).available as Available)(three, { ...all, ...can } as Capabilities, params);
    return found.available ? found.mechanism : found.reason;
  };
  const noPeers = { 'netem with peers': 'no prio' };

  test('of a loss is an nft table before netem, and netem with peers only where it can tell them apart', () => {
    assert.equal(of('packet_loss', {}), 'nft_netdev');
    assert.equal(of('packet_loss', { nft_netdev: false }), 'netem');
    assert.equal(of('packet_loss', { nft_netdev: false, reasons: noPeers }, { peers: ['n2'] }), 'statistic');
    assert.equal(of('packet_loss', { nft_netdev: false, netem: false, statistic: false }), 'not_in_kernel');
  });

  test('of a rate is tbf or nothing', () => {
    assert.equal(of('bandwidth', {}), 'tbf');
    assert.equal(of('bandwidth', { tbf: false }), 'not_in_kernel');
  });

  test('of a delay is netem, or the queue where netem cannot do the range or the peers', () => {
    assert.equal(of('latency', {}), 'netem');
    assert.equal(of('latency', {}, { min_ms: 0, max_ms: 4000 }), 'netem');
    assert.equal(of('latency', {}, { min_ms: 0, max_ms: 4001 }), 'nfqueue');
    assert.equal(of('latency', { reasons: noPeers }, { peers: ['n2'] }), 'nfqueue');
    assert.equal(of('latency', { reasons: noPeers }), 'netem');
    assert.equal(of('latency', { nfqueue: false, reasons: noPeers }, { peers: ['n2'] }), 'not_in_kernel');
  });
});

describe('the trains of a witness', () => {
  test('go out of and into the target, and between two others as a control', () => {
    const pairs = pairsFor(three, [target(1)], { peers: null, all: false });
    assert.deepEqual(
      pairs.map((p) => [p.role, p.from, p.to, p.address]),
      [
        ['out', 'id1', 'id2', '10.0.0.2'],
        ['in', 'id2', 'id1', '10.0.0.1'],
        ['control', 'id2', 'id3', '10.0.0.3'],
      ],
    );
  });

  test('over every address to every other node for a cut', () => {
    const pairs = pairsFor(three, [target(1)], { peers: null, all: true });
    assert.equal(pairs.filter((p) => p.role === 'out').length, 6);
    assert.equal(pairs.filter((p) => p.role === 'in').length, 6);
  });

  test('with no two others, the control is the loopback of one', () => {
    const pairs = pairsFor(scene(node(1), node(2)), [target(1)], { peers: null, all: false });
    assert.deepEqual(pairs.at(-1)?.address, '127.0.0.1');
  });

  test('have spare controls, for the case that another fault is at the first', () => {
    const pairs = pairsFor(three, [target(1)], { peers: null, all: false, spare: true });
    assert.deepEqual(
      pairs.filter((p) => p.role === 'control').map((p) => [p.from, p.to, p.address]),
      [
        ['id2', 'id3', '10.0.0.3'],
        ['id3', 'id2', '10.0.0.2'],
        ['id2', 'id2', '127.0.0.1'],
      ],
    );
  });

  test('use only networks that both nodes are on', () => {
    const apart = scene(node(1, { networks: [{ id: 'x', name: 'x', ipv4: '10.9.0.1', ipv6: null }] }), node(2), node(3));
    assert.deepEqual(
      pairsFor(apart, [target(1)], { peers: null, all: true }).map((p) => p.role),
      ['control'],
    );
  });
});
