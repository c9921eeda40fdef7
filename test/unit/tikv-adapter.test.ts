import assert from 'node:assert/strict';
import { test } from 'node:test';
import { difference } from '../../src/captures/diff.ts';
import { adapter } from '../../subjects/tikv/adapter.ts';
import {
  captured,
  deadLeader,
  everywhere,
  hangs,
  healthyPd,
  lostQuorum,
  noLeader,
  type Pd,
  quorum,
  refuses,
  renamed,
  three,
  world,
} from './tikv-world.ts';

const { signal } = new AbortController();
const health = (...args: Parameters<typeof world>) => adapter.health(world(...args), signal);
const state = (...args: Parameters<typeof world>) => adapter.state(world(...args), signal);
const roles = async (...args: Parameters<typeof world>) => await adapter.roles(world(...args), signal);
const levels = (result: Awaited<ReturnType<typeof health>>) => Object.fromEntries(result.nodes.map((node) => [node.name, node.health]));
const stores = renamed(captured('30-3pd-follower-or-leader.stores'));
const unbooted: Pd = healthyPd(
  Object.fromEntries(
    ['stores', 'stats/region', 'regions/check/miss-peer', 'regions/check/pending-peer', 'regions/check/down-peer'].map((path) => [
      path,
      { status: 500, text: captured('00-notbootstrapped.stores') },
    ]),
  ),
);
const dead = { running: false };
const differences = (before: unknown, after: unknown, missing: string[]) =>
  difference(before, after, { missing, volatile: adapter.volatile ?? [] }).changes;

test('health names every node in order with its main port, and explains itself', async () => {
  const result = await health(three(healthyPd()));
  assert.deepEqual(
    result.nodes.map(({ address }) => address),
    ['pd0:2379', 'pd1:2379', 'pd2:2379', 'tikv0:20160', 'tikv1:20160', 'tikv2:20160'],
  );
  assert.equal(result.details.pd_leader, 'pd2');
  assert.deepEqual(result.details.regions, { count: 5, peers: 15, max_replicas: 3, fully_replicated: true });
});

test('regions that miss replicas do not make the cluster unhealthy: some stores never get them all', async () => {
  const few = captured('30-3pd-follower-or-leader.stats-region').replace('"13": 5', '"13": 3');
  const result = await health(three(healthyPd({ 'stats/region': few })));
  assert.equal(result.healthy, true);
  assert.deepEqual(result.details.regions, { count: 5, peers: 13, max_replicas: 3, fully_replicated: false });
  assert.equal((await health(three(healthyPd({ 'stats/region': hangs })))).healthy, true);
});

test('a cluster that no store has joined is not healthy, and its running stores are unknown', async () => {
  const result = await health(three(unbooted));
  assert.deepEqual(levels(result), { pd0: 'up', pd1: 'up', pd2: 'up', tikv0: 'unknown', tikv1: 'unknown', tikv2: 'unknown' });
  assert.equal(result.healthy, false);
  assert.match(result.issues.join('\n'), /not bootstrapped/);
});

test('with every PD dead the running stores are unknown, never up or down', async () => {
  const result = await health({}, { pd0: dead, pd1: dead, pd2: dead });
  assert.deepEqual(levels(result), { pd0: 'down', pd1: 'down', pd2: 'down', tikv0: 'unknown', tikv1: 'unknown', tikv2: 'unknown' });
  assert.equal(result.healthy, false);
  assert.match(result.issues.join('\n'), /stores cannot be read: pd0: not running; pd1: not running; pd2: not running/);
});

test('two stores up of three are not enough, and a store that never registered is unknown', async () => {
  const two = stores.replace('tikv1:20160', 'elsewhere:20160');
  const result = await health(three(healthyPd({ stores: two })));
  assert.equal(levels(result).tikv1, 'unknown');
  assert.equal(result.healthy, false);
  assert.match(result.issues.join('\n'), /tikv1: has not registered with PD/);
  assert.match(result.issues.join('\n'), /2 of at least 3 stores are up/);
  assert.deepEqual(result.details.unexpected_stores, [{ id: 12, address: 'elsewhere:20160', state_name: 'Up' }]);
});

test('a fourth store is reported and does not make the cluster unhealthy', async () => {
  const fourth = '{"store": {"id": 99, "address": "tikv3:20160", "state_name": "Down"}, "status": {}},';
  const result = await health(three(healthyPd({ stores: stores.replace('"stores": [', `"stores": [${fourth}`) })));
  assert.equal(result.healthy, true);
  assert.deepEqual(result.details.unexpected_stores, [{ id: 99, address: 'tikv3:20160', state_name: 'Down' }]);
});

test('of two stores at one address the one heard from last counts, and the other is reported', async () => {
  const older =
    '{"store": {"id": 2, "address": "tikv1:20160", "state_name": "Offline"}, "status": {"last_heartbeat_ts": "2026-11-22T01:02:40Z"}},';
  const result = await health(three(healthyPd({ stores: stores.replace('"stores": [', `"stores": [${older}`) })));
  assert.equal(result.healthy, true);
  assert.deepEqual(result.details.unexpected_stores, [{ id: 2, address: 'tikv1:20160', state_name: 'Offline' }]);
});

test('a state name that nobody knows is unknown', async () => {
  const result = await health(three(healthyPd({ stores: stores.replace('"state_name": "Up"', '"state_name": "Drunk"') })));
  assert.equal(levels(result).tikv0, 'unknown');
  assert.equal(result.healthy, false);
});

test('a killed PD is down, and the others answer for the cluster', async () => {
  const health0 = renamed(captured('30-3pd-follower-or-leader.health')).replace(
    /"health": true(?![\s\S]*"health": true)/,
    '"health": false',
  );
  const pd = healthyPd({ health: health0 });
  const result = await health({ pd1: pd, pd2: pd }, { pd0: dead });
  assert.deepEqual(levels(result), { pd0: 'down', pd1: 'up', pd2: 'up', tikv0: 'up', tikv1: 'up', tikv2: 'up' });
  assert.equal(result.healthy, false);
});

test('a reply that names a leader which does not run is no leader', async () => {
  const result = await health({ pd0: healthyPd(), pd1: healthyPd() }, { pd2: dead });
  assert.equal(result.healthy, false);
  assert.match(result.issues.join('\n'), /PD has no leader: pd0 names pd2, which does not run/);
  assert.deepEqual(await roles({ pd0: healthyPd(), pd1: healthyPd() }, { pd2: dead }), []);
});

test('a frozen member makes the list of members late: then each PD is judged by its own answer, and the cluster is not healthy', async () => {
  const late = healthyPd({ health: hangs });
  const result = await health({ pd0: everywhere(hangs), pd1: late, pd2: late });
  assert.deepEqual(levels(result), { pd0: 'down', pd1: 'up', pd2: 'up', tikv0: 'up', tikv1: 'up', tikv2: 'up' });
  assert.equal(result.healthy, false);
});

test('a PD that is not among the members is unknown', async () => {
  const two =
    '[{"name": "pd1", "member_id": 1, "client_urls": [], "health": true}, {"name": "pd2", "member_id": 2, "client_urls": [], "health": true}]';
  const result = await health(three(healthyPd({ health: two })));
  assert.equal(levels(result).pd0, 'unknown');
  assert.equal(result.healthy, false);
});

test('an old leader that was frozen and still names itself loses against the one that two name', async () => {
  const old = healthyPd({
    members: renamed(captured('30-3pd-follower-or-leader.members')).replace(/"leader": \{\s*"name": "pd2"/, '"leader": {"name": "pd0"'),
    stores: stores.replaceAll('"Up"', '"Disconnected"'),
  });
  const result = await health({ pd0: old, pd1: healthyPd(), pd2: healthyPd() });
  assert.equal(result.details.pd_leader, 'pd2');
  assert.equal(result.healthy, true);
});

test('of two leaders with one voice each the one is believed whose PD has a quorum', async () => {
  const members = renamed(captured('30-3pd-follower-or-leader.members')).replace(
    /"leader": \{\s*"name": "pd2"/,
    '"leader": {"name": "pd0"',
  );
  const result = await health({ pd0: healthyPd({ members, quorum: lostQuorum }), pd1: healthyPd(), pd2: everywhere(hangs) });
  assert.equal(result.details.pd_leader, 'pd2');
});

test('of two PDs that follow one leader the newer heartbeats are believed', async () => {
  const older = healthyPd({ stores: stores.replaceAll('01:02:58', '01:02:41') });
  const seen = await state({ pd0: older, pd1: healthyPd(), pd2: everywhere(hangs) });
  assert.deepEqual(
    (seen.state.stores as { last_heartbeat_ts: string }[]).map(({ last_heartbeat_ts }) => last_heartbeat_ts.slice(11, 19)),
    ['01:02:58', '01:02:58', '01:02:58'],
  );
});

test('a leader whose own etcd has lost its quorum is not believed, though it still answers everything', async () => {
  const isolated = healthyPd({ quorum: lostQuorum });
  const result = await health({ pd0: { ...everywhere(deadLeader), ping: '', quorum }, pd1: everywhere(hangs), pd2: isolated });
  assert.equal(result.healthy, false);
  assert.match(result.issues.join('\n'), /no PD that follows pd2 confirms a quorum \(pd2: RAFT NO LEADER\)/);
});

test('state has the fields of the contract, and what PD cannot know beside them', async () => {
  const { state: told, missing, readable } = await state(three(healthyPd()));
  assert.deepEqual([told.store_count, told.region_count, told.leader, told.bootstrapped], [3, 5, 'pd2', true]);
  assert.deepEqual(missing, []);
  assert.equal(readable, true);
  const [first] = told.stores as Record<string, unknown>[];
  assert.deepEqual(first, {
    id: 1,
    address: 'tikv0:20160',
    state_name: 'Up',
    node: 'tikv0',
    container_running: true,
    heard_since_start: true,
    last_heartbeat_ts: '2026-11-22T01:02:58.372872904Z',
    heartbeat_age_ms: 1988,
    leader_count: 5,
    region_count: 5,
    pending_peer_count: 0,
    capacity: '252GiB',
    available: '252GiB',
    used_size: '0B',
    version: '3.0.0-bata.1',
    start_ts: '1970-01-01T00:00:00Z',
  });
  assert.deepEqual(told.regions, {
    count: 5,
    peers: 15,
    max_replicas: 3,
    fully_replicated: true,
    empty: 5,
    leaders: { 1: 5 },
    miss_peer: 0,
    pending_peer: 4,
    down_peer: 0,
  });
});

test('a capture right after a kill shows it, though PD says Up three times', async () => {
  const { state: told, missing } = await state(three(healthyPd()), { tikv2: dead });
  assert.deepEqual(
    (told.stores as Record<string, unknown>[]).map(({ node, state_name, container_running }) => [node, state_name, container_running]),
    [
      ['tikv0', 'Up', true],
      ['tikv1', 'Up', true],
      ['tikv2', 'Up', false],
    ],
  );
  assert.deepEqual(
    (told.containers as { node: string; running: boolean }[]).filter(({ running }) => !running).map(({ node }) => node),
    ['tikv2'],
  );
  assert.deepEqual(missing, []);
});

test('what cannot be read is null and named in missing; with nothing readable it says so', async () => {
  const partly = await state(three(healthyPd({ stores: hangs, 'regions/check/down-peer': refuses })));
  assert.deepEqual(partly.missing, ['stores', 'store_count', 'bootstrapped', 'unexpected_stores', 'regions.down_peer']);
  assert.deepEqual([partly.state.stores, partly.state.store_count, partly.state.region_count], [null, null, 5]);
  assert.equal(partly.readable, true);
  const nothing = await state(three(everywhere(noLeader)));
  assert.equal(nothing.readable, false);
  assert.deepEqual(nothing.missing, [
    ...['stores', 'store_count', 'bootstrapped', 'unexpected_stores', 'region_count', 'regions'],
    ...['cluster_id', 'members', 'etcd_leader', 'members.healthy', 'regions.max_replicas', 'regions.fully_replicated'],
    ...['leader', 'regions.miss_peer', 'regions.pending_peer', 'regions.down_peer'],
  ]);
});

test('what is null under a fault, and was not before, is named in missing', async () => {
  const well = (await state(three(healthyPd()))).state;
  for (const topic of ['stores', 'stats/region', 'members', 'health', 'config/replicate', 'regions/check/miss-peer', 'ping'] as const) {
    const { state: told, missing } = await state(three(healthyPd({ [topic]: hangs })));
    const changes = differences(well, told, missing);
    assert.deepEqual(changes, [], `${topic}: ${missing}`);
  }
});

test('an empty cluster is a state, not a gap: no store, no region, not bootstrapped', async () => {
  const { state: told, missing, readable } = await state(three(unbooted));
  assert.deepEqual([told.bootstrapped, told.store_count, told.stores, told.region_count], [false, 0, [], 0]);
  assert.deepEqual(missing, []);
  assert.equal(readable, true);
});

test('roles come with the reply that proves them and the PD that gave it', async () => {
  assert.deepEqual(await roles({ pd0: healthyPd(), pd1: everywhere(hangs), pd2: healthyPd() }), [
    {
      node: 'pd0',
      role: 'pd_follower',
      proof: { asked: 'pd2', path: '/pd/api/v1/members', leader: 'pd2', member_id: '4776639847118839820' },
    },
    { node: 'pd2', role: 'pd_leader', proof: { asked: 'pd2', path: '/pd/api/v1/members', leader: 'pd2', member_id: '987521044149793241' } },
    { node: 'tikv0', role: 'region_leader', proof: { asked: 'pd2', path: '/pd/api/v1/stores', id: 1, leader_count: 5 } },
  ]);
});

test('nobody has a role while PD has no leader, and a dead store leads nothing', async () => {
  assert.deepEqual(await roles(three(everywhere(noLeader))), []);
  const left = await roles(three(healthyPd()), { tikv0: dead });
  assert.deepEqual(
    left.map(({ role }) => role),
    ['pd_follower', 'pd_follower', 'pd_leader'],
  );
  assert(left.every(({ role }) => adapter.roleNames.includes(role)));
});

test('a cancelled question ends with the reason of the signal', async () => {
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await assert.rejects(adapter.health(world(three(healthyPd())), controller.signal), /enough/);
});
