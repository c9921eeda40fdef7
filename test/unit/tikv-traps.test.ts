import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adapter } from '../../subjects/tikv/adapter.ts';
import { classify, message } from '../../subjects/tikv/answer.ts';
import { parseExact } from '../../subjects/tikv/json.ts';
import { parseCount } from '../../subjects/tikv/regions.ts';
import { parseStores } from '../../subjects/tikv/stores.ts';
import { nanoseconds } from '../../subjects/tikv/time.ts';
import {
  captured,
  deadLeader,
  everywhere,
  hangs,
  healthyPd,
  heartbeatAt,
  lostQuorum,
  noLeader,
  now,
  type Pd,
  quorum,
  renamed,
  three,
  world,
} from './tikv-world.ts';

// The twelve points of reference/pd-api.md, section 1, in its order.
const { signal } = new AbortController();
const health = (...args: Parameters<typeof world>) => adapter.health(world(...args), signal);
const state = (...args: Parameters<typeof world>) => adapter.state(world(...args), signal);
const of = (result: Awaited<ReturnType<typeof health>>, name: string) => result.nodes.find((node) => node.name === name)?.health;

test('the captured healthy cluster is healthy', async () => {
  const result = await health(three(healthyPd()));
  assert.deepEqual(result.issues, []);
  assert.equal(result.healthy, true);
  assert.deepEqual(new Set(result.nodes.map((node) => node.health)), new Set(['up']));
});

test('trap 1: cluster and member ids beyond 2^53 arrive digit for digit', async () => {
  const { state: told } = await state(three(healthyPd()));
  assert.equal(told.cluster_id, '7710794885702765171');
  assert.deepEqual(
    (told.members as { name: string; member_id: unknown }[]).map(({ name, member_id }) => [name, member_id]),
    [
      ['pd0', '4776639847118839820'],
      ['pd1', '2393865490710305949'],
      ['pd2', '987521044149793241'],
    ],
  );
  assert.equal(nanoseconds('2026-11-22T00:59:18.541273106Z'), 1795309158541273106n);
});

test('trap 2: a store is judged by state_name alone, state and node_state may be absent', async () => {
  const bare = healthyPd({ stores: healthyStores().replaceAll(/"node_state": 1,\s*/g, '') });
  assert.equal((await health(three(bare))).healthy, true);
  const removing = healthyPd({
    stores: healthyStores().replace('"node_state": 1,\n        "state_name": "Up"', '"state": 1, "node_state": 2, "state_name": "Offline"'),
  });
  const result = await health(three(removing));
  assert.equal(of(result, 'tikv0'), 'offline');
  assert.equal(result.healthy, false);
});

test('trap 3: the sentence is found in each of the four error bodies, and a Go stack never gets through', () => {
  assert.equal(
    message(captured('00-notbootstrapped.stores')),
    '[PD:cluster:ErrNotBootstrapped]TiKV cluster not bootstrapped, please start TiKV first',
  );
  assert.equal(message('{"code":"input","msg":"bad id","data":{}}'), 'bad id');
  assert.equal(message('[PD:apiutil:ErrRedirect]redirect failed\n'), '[PD:apiutil:ErrRedirect]redirect failed');
  assert.equal(message('PANIC: nil map\ngoroutine 12 [running]:\nmain.go:1'), 'PANIC: nil map');
  assert.equal(message('404 page not found\n'), '404 page not found');
  assert.equal(message(''), '');
});

test('trap 4: JSON is read under any content type, and a 200 without JSON is malformed', () => {
  const headers = { 'content-type': 'application/octet-stream' };
  const regions = classify({ reached: true, status: 200, headers, text: captured('11-healthy-3x.regions') }, parseCount);
  assert.deepEqual(regions, { kind: 'ok', body: 5 });
  assert.equal(
    classify({ reached: true, status: 200, headers: { 'content-type': 'application/json' }, text: '<html>' }, parseCount).kind,
    'malformed',
  );
  assert.equal(classify({ reached: true, status: 200, headers: {}, text: '{"other": 1}' }, parseCount).kind, 'malformed');
});

test('trap 5: two captures of one cluster are equal whatever order PD lists its stores in', async () => {
  const body = parseExact(healthyStores()) as { stores: unknown[] };
  const turned = JSON.stringify({ ...body, stores: [...body.stores].reverse() });
  const [one, other] = [await state(three(healthyPd())), await state(three(healthyPd({ stores: turned })))];
  assert.deepEqual(one, other);
  assert.deepEqual(
    (one.state.stores as { id: number }[]).map(({ id }) => id),
    [1, 12, 13],
  );
});

test('trap 6: a 200 from /pd/api/v1/health is no proof: each entry must be true, and a leader must be named', async () => {
  const oneDead = healthyPd({ health: healthyMembers().replace('"health": true', '"health": false') });
  const result = await health(three(oneDead));
  assert.equal(of(result, 'pd2'), 'down');
  assert.equal(result.healthy, false);
  const leaderless = healthyPd({ members: renamed(captured('30-3pd-follower-or-leader.members')).replace('"leader":', '"nobody":') });
  const without = await health(three(leaderless));
  assert.equal(without.healthy, false);
  assert.match(without.issues.join('\n'), /PD has no leader/);
  const absent = healthyPd({ health: '[]' });
  assert.equal((await health(three(absent))).healthy, false);
});

test('trap 7: /health is the quorum test and its answer a string: "false" is not healthy, whatever the other paths say', async () => {
  const lost = await health(three(healthyPd({ quorum: lostQuorum })));
  assert.equal(lost.healthy, false);
  assert.match(lost.issues.join('\n'), /RAFT NO LEADER/);
  assert.equal((await health(three(healthyPd({ quorum: '{"health":true}' })))).healthy, false, 'a boolean is not what PD sends');
  assert.equal(
    (await health({ ...three(healthyPd()), pd0: healthyPd({ quorum: lostQuorum }) })).healthy,
    true,
    'one that lags behind does not decide',
  );
});

test('trap 8: PDs that take connections and never answer leave the running nodes unknown', async () => {
  const result = await health(three(everywhere(hangs)));
  assert.equal(result.healthy, false);
  assert.deepEqual(new Set(result.nodes.map((node) => node.health)), new Set(['unknown']));
  assert.match(result.issues.join('\n'), /timeout/);
});

test('trap 9: all PDs are asked at once and each within three seconds, so that a frozen one blinds nobody', async () => {
  const toolkit = world({ pd0: everywhere(hangs), pd1: everywhere(hangs), pd2: healthyPd() });
  let release = () => {};
  const everyone = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seen = new Set<string>();
  const result = await adapter.health(
    {
      ...toolkit,
      http: async (node, ...rest) => {
        seen.add(node.name);
        if (seen.size === 3) release();
        await everyone; // a PD that was asked only after another had answered would wait here for ever
        return toolkit.http(node, ...rest);
      },
    },
    signal,
  );
  assert.deepEqual(
    ['tikv0', 'tikv1', 'tikv2'].map((name) => of(result, name)),
    ['up', 'up', 'up'],
  );
  assert(toolkit.asked.every(({ timeoutMs }) => timeoutMs !== undefined && timeoutMs <= 3000));
});

test('trap 10: a store that registered and was not yet heard from, or not yet by a new leader, is not up', async () => {
  const registered = healthyStores()
    .replace('"state_name": "Up"', '"state_name": "Down"')
    .replace(/"last_heartbeat_ts": "[^"]*"/, '"last_heartbeat_ts": "1970-01-01T00:00:00Z"');
  const fresh = await health(three(healthyPd({ stores: registered })));
  assert.equal(of(fresh, 'tikv0'), 'down');
  assert.match(fresh.issues.join('\n'), /tikv0: PD says Down, never heard from/);
  const afterElection = await health(three(healthyPd({ stores: healthyStores().replaceAll('"Up"', '"Disconnected"') })));
  assert.equal(of(afterElection, 'tikv1'), 'down');
  assert.equal(afterElection.healthy, false);
  assert.equal((await health(three(healthyPd()))).healthy, true, 'and its next heartbeat makes it so');
});

test('trap 11: a store that PD calls Up is down when its container does not run', async () => {
  const result = await health(three(healthyPd()), { tikv1: { running: false } });
  assert.equal(of(result, 'tikv1'), 'down');
  assert.equal(result.healthy, false);
  assert.match(result.issues.join('\n'), /tikv1: its container is stopped or paused \(PD still says Up\)/);
});

test('trap 11: a store that PD calls Up is not up before it was heard from since its container started', async () => {
  const nanosecond = 1_000_000n;
  const beat = nanoseconds('2026-11-22T01:02:58.373649809Z') ?? 0n; // of tikv1
  const startedAfter = await health(three(healthyPd()), { tikv1: { startedAt: Number(beat / nanosecond) + 1 } });
  assert.equal(of(startedAfter, 'tikv1'), 'unknown');
  assert.equal(startedAfter.healthy, false);
  const startedBefore = await health(three(healthyPd()), { tikv1: { startedAt: Number(beat / nanosecond) } });
  assert.equal(startedBefore.healthy, true);
  const neverStarted = await health(three(healthyPd()), { tikv1: { startedAt: null } });
  assert.equal(of(neverStarted, 'tikv1'), 'unknown');
});

test('trap 12: region checks that find nothing prove nothing about a dead store', async () => {
  const dead = single('20-store1-killed-45s', '127.0.0.1:20160', 'tikv1');
  const at = Date.parse('2026-11-22T01:00:10Z');
  const started = { startedAt: Date.parse('2026-11-22T00:52:40Z') };
  const nodes = { tikv0: started, tikv1: started, tikv2: started };
  const pds = { pd0: dead, pd1: dead, pd2: dead };
  const result = await health(pds, nodes, at);
  assert.equal(of(result, 'tikv1'), 'down');
  assert.match(result.issues.join('\n'), /tikv1: PD says Disconnected, last heard from 41\.4 s ago/);
  const { state: told } = await state(pds, nodes, at);
  const regions = told.regions as Record<string, unknown>;
  assert.deepEqual([regions.miss_peer, regions.pending_peer, regions.down_peer, regions.fully_replicated], [0, 0, 0, true]);
});

test('a follower that believes in a dead leader, and one that found none, are outvoted by the one that follows the new leader', async () => {
  const pds = { pd0: healthyPd({ ...leaderPaths(deadLeader) }), pd1: healthyPd({ ...leaderPaths(noLeader) }), pd2: healthyPd() };
  assert.equal((await health(pds)).healthy, true);
});

function leaderPaths(reply: Pd[string]): Pd {
  return { members: reply, stores: reply, 'stats/region': reply, 'config/replicate': reply };
}

function healthyStores(): string {
  const text = renamed(captured('30-3pd-follower-or-leader.stores'));
  assert.equal(parseStores(parseExact(text))?.length, 3);
  return text;
}

function healthyMembers(): string {
  return renamed(captured('30-3pd-follower-or-leader.health'));
}

/** A cluster captured with one PD, its store at `address` under the name `as`. */
function single(name: string, address: string, as: string): Pd {
  const stores = captured(`${name}.stores`)
    .replace(address, `${as}:20160`)
    .replace('127.0.0.1:20161', 'tikv0:20160')
    .replace('127.0.0.1:20162', 'tikv2:20160');
  return {
    ...healthyPd(),
    quorum,
    stores,
    'stats/region': captured(`${name}.stats-region`),
    'regions/check/miss-peer': captured(`${name}.check-down`),
    'regions/check/pending-peer': captured(`${name}.check-pending`),
    'regions/check/down-peer': captured(`${name}.check-down`),
  };
}

test('the clock of the world stands after its heartbeats', () => assert(now > heartbeatAt));
