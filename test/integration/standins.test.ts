import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { HttpAnswer, SystemHealth } from '../../src/kind/adapter.ts';
import { adapter } from '../../subjects/tikv/adapter.ts';
import { parseExact } from '../../subjects/tikv/json.ts';
import { Rig } from './standins-rig.ts';

// One cluster, one story: the tests run in order, and each leaves it healthy.
const rig = new Rig(AbortSignal.timeout(600_000));
const pds = ['pd0', 'pd1', 'pd2'];
const stores = ['tikv0', 'tikv1', 'tikv2'];
const api = '/pd/api/v1';
const levels = (health: SystemHealth) => Object.fromEntries(health.nodes.map(({ name, health: level }) => [name, level]));
const healthy = () => rig.until('the cluster is healthy', async () => ((await rig.health()).healthy ? true : undefined));
const leaderNow = async () => (await rig.roles()).find(({ role }) => role === 'pd_leader')?.node;
const leader = () => rig.until('PD has a leader', leaderNow);
const text = (answer: HttpAnswer) => {
  assert(answer.reached, 'why' in answer ? answer.why : '');
  return answer;
};

before(() => rig.create());
after(() => rig.remove());

test('a PD of three that is alone takes connections and answers nothing, and everything is unknown', async () => {
  await rig.start('pd0');
  await rig.until('the port is open', async () => {
    const answer = await rig.ask('pd0', `${api}/ping`, { timeoutMs: 500 });
    return !answer.reached && answer.why.startsWith('timeout') ? true : undefined;
  });
  assert.equal(levels(await rig.health()).pd0, 'unknown');
  assert.equal((await rig.state()).readable, false);
});

test('before the first store PD says not bootstrapped, in its own way', async () => {
  await rig.start('pd1', 'pd2');
  await leader();
  const answer = text(await rig.ask('pd1', `${api}/stores`));
  assert.deepEqual([answer.status, answer.text], [500, captured('00-notbootstrapped.stores')]);
  assert.equal(text(await rig.ask('pd2', `${api}/cluster/status`)).text, captured('00-notbootstrapped.cluster-status'));
  assert.equal(text(await rig.ask('pd2', '/pd/api/v2/ready')).status, 500);
  const { state, readable } = await rig.state();
  assert.deepEqual([state.bootstrapped, state.store_count, readable], [false, 0, true]);
});

test('three stores join, are Down until they are heard from, and then the cluster is healthy', async () => {
  await rig.start(...stores);
  const registered = await rig.until('three stores have registered', async () => {
    const { state } = await rig.state();
    return state.store_count === 3 ? state : undefined;
  });
  for (const { state_name, last_heartbeat_ts } of registered.stores as { state_name: string; last_heartbeat_ts: string | null }[]) {
    assert.equal(state_name, last_heartbeat_ts === null ? 'Down' : 'Up');
  }
  await healthy();
  assert.deepEqual(new Set(Object.values(levels(await rig.health()))), new Set(['up']));
  const { state, missing } = await rig.state();
  assert.deepEqual([state.store_count, state.region_count, missing], [3, 5, []]);
});

test('roles name one PD leader, two followers and the stores that lead regions', async () => {
  const roles = await rig.until('every store leads a region', async () => {
    const found = await rig.roles();
    return found.filter(({ role }) => role === 'region_leader').length === 3 ? found : undefined;
  });
  const count = (role: string) => roles.filter((each) => each.role === role).length;
  assert.deepEqual(
    adapter.roleNames.map((role) => [role, count(role)]),
    [
      ['pd_leader', 1],
      ['pd_follower', 2],
      ['region_leader', 3],
    ],
  );
});

test('the stand-in sends what PD sends: the fields, their types and the content types of the captures', async () => {
  const shapes = {
    members: 'members',
    health: 'health',
    leader: 'leader',
    'cluster/status': 'cluster-status',
    stores: 'stores',
    'stats/region': 'stats-region',
  };
  for (const [path, name] of Object.entries(shapes)) {
    const answer = text(await rig.ask('pd0', `${api}/${path}`));
    assert.equal(answer.headers['content-type'], 'application/json; charset=UTF-8', path);
    assertShape(parseExact(answer.text), parseExact(captured(`11-healthy-3x.${name}`)), path);
  }
  const regions = text(await rig.ask('pd1', `${api}/regions`));
  assert.equal(regions.headers['content-type'], 'application/octet-stream');
  assert.doesNotMatch(regions.text, /\n/);
  assertShape(parseExact(regions.text), parseExact(captured('11-healthy-3x.regions')), 'regions');
  const missing = text(await rig.ask('pd2', `${api}/store/99999`));
  assert.deepEqual([missing.status, missing.text], [404, captured('11-healthy-3x.store-404')]);
  assert.equal(text(await rig.ask('pd2', `${api}/store/x`)).status, 400);
  assert.equal(text(await rig.ask('pd2', `${api}/nothing`)).text, '404 page not found\n');
  assert.deepEqual([text(await rig.ask('pd2', `${api}/members`, { method: 'PUT' })).status], [405]);
  assert.equal(text(await rig.ask('pd0', '/health')).text, '{"health":"true","reason":""}');
});

test('the stand-in lists stores in a random order and ids beyond 2^53 bare', async () => {
  const orders = new Set<string>();
  await rig.until('two orders were seen', async () => {
    const { text: body } = text(await rig.ask('pd0', `${api}/stores`));
    orders.add([...body.matchAll(/"address": "(tikv\d)/g)].map(([, name]) => name).join());
    return orders.size > 1 ? true : undefined;
  });
  const { text: members } = text(await rig.ask('pd0', `${api}/members`));
  assert.match(members, /"cluster_id": 7\d{18}\n/);
});

test('a TiKV stand-in serves its status port and keeps its heartbeat from the config', async () => {
  assert.equal(text(await rig.ask('tikv0', '/status', { port: 20180 })).status, 200);
  const config = JSON.parse(text(await rig.ask('tikv0', '/config', { port: 20180 })).text) as Record<string, unknown>;
  assert.equal(config['raftstore.pd-store-heartbeat-tick-interval'], '4s');
});

test('a killed store is down at once though PD says Up, and up again only after a heartbeat since its start', async () => {
  await rig.kill('tikv1');
  const dead = await rig.health();
  assert.equal(dead.healthy, false);
  assert.equal(levels(dead).tikv1, 'down');
  assert.match(dead.issues.join('\n'), /tikv1: its container is stopped or paused \(PD still says Up\)/);
  const shown = ((await rig.state()).state.stores as { node: string; state_name: string; container_running: boolean }[]).find(
    ({ node }) => node === 'tikv1',
  );
  assert.deepEqual([shown?.state_name, shown?.container_running], ['Up', false]);

  await rig.start('tikv1');
  let unheard = 0;
  await rig.until('the cluster is healthy', async () => {
    const health = await rig.health();
    const heard = (health.details.stores as { node: string; heard_since_start: boolean }[]).find(
      ({ node }) => node === 'tikv1',
    )?.heard_since_start;
    assert.equal(levels(health).tikv1, heard ? 'up' : 'unknown');
    if (!heard) unheard++;
    return health.healthy ? true : undefined;
  });
  assert(unheard > 0, 'the time before the first heartbeat was never seen');
});

test('with the PD leader killed the others answer after the election, and the stores are heard from again', async () => {
  const killed = await leader();
  await rig.kill(killed);
  const health = await rig.health();
  assert.equal(health.healthy, false);
  assert.equal(levels(health)[killed], 'down');
  const follower = pds.find((name) => name !== killed) ?? '';
  // It cannot reach the dead leader, or, where the engine's DNS is slow to say that a dead node's name is gone, is still about to find out.
  const redirected = await rig.ask(follower, `${api}/leader`);
  assert.match(redirected.reached ? redirected.text : redirected.why, /ErrRedirect|^timeout/);
  const next = await leader();
  assert.notEqual(next, killed);
  const { state } = await rig.until('all of the state can be read', async () => {
    const capture = await rig.state();
    return capture.missing.length === 0 ? capture : undefined;
  });
  assert.equal(state.store_count, 3);
  await rig.until('the stores are up', async () => {
    const seen = levels(await rig.health());
    return stores.every((name) => seen[name] === 'up') ? true : undefined;
  });
  assert.equal((await rig.health()).healthy, false, 'one PD is still dead');
  await rig.start(killed);
  await healthy();
});

test('with two PDs killed there is no quorum, whatever the third one answers', async () => {
  const [one, two, left] = pds as [string, string, string];
  await rig.kill(one, two);
  await rig.until('the survivor says that it has no quorum', async () => {
    const answer = await rig.ask(left, '/health');
    return answer.reached && answer.status === 503 && answer.text.includes('RAFT NO LEADER') ? true : undefined;
  });
  const health = await rig.health();
  assert.equal(health.healthy, false);
  assert.match(health.issues.join('\n'), /PD has no leader|confirms a quorum/);
  await rig.until('the survivor gives up its leader', async () => {
    const answer = await rig.ask(left, `${api}/members`);
    return answer.reached && answer.status >= 500 ? true : undefined;
  });
  assert.deepEqual(await rig.roles(), []);
  await rig.start(one, two);
  await healthy();
});

test('with the PD leader frozen its followers hang, health still answers, and a thawed leader is not believed', async () => {
  const frozen = await leader();
  await rig.freeze(frozen);
  const follower = pds.find((name) => name !== frozen) ?? '';
  const hung = await rig.ask(follower, `${api}/leader`, { timeoutMs: 1000 });
  assert.deepEqual(hung, { reached: false, why: 'timeout after 1000 ms' });
  const health = await rig.health();
  assert.equal(health.healthy, false);
  assert.equal(levels(health)[frozen], 'down');
  const pending = rig.ask(follower, `${api}/leader`, { timeoutMs: 60_000 });
  const next = await leader();
  assert.notEqual(next, frozen);
  await rig.thaw(frozen);
  const late = text(await pending);
  assert.deepEqual([late.status, late.text.trim()], [500, '[PD:apiutil:ErrRedirectToNotLeader]redirect to not leader']);
  await healthy();
  assert.equal(await leader(), next);
});

test('with every PD dead the running stores are unknown; the cluster comes back with the stores it had', async () => {
  const before = (await rig.state()).state;
  await rig.kill(...pds);
  const health = await rig.health();
  assert.equal(health.healthy, false);
  assert.deepEqual(levels(health), { pd0: 'down', pd1: 'down', pd2: 'down', tikv0: 'unknown', tikv1: 'unknown', tikv2: 'unknown' });
  assert.equal((await rig.state()).readable, false);
  await rig.start(...pds);
  await healthy();
  const back = (await rig.state()).state;
  const ids = ({ stores: found }: Record<string, unknown>) =>
    (found as { id: number; address: string }[]).map(({ id, address }) => [id, address]);
  assert.deepEqual(ids(back), ids(before));
  assert.equal(back.cluster_id, before.cluster_id);
});

function captured(name: string): string {
  return readFileSync(new URL(`../standins/pd/captures/${name}.body`, import.meta.url), 'utf8');
}

/** Every field that the real one sent is there and of the same type; of a list the first elements are compared; maps by store id in their values. */
function assertShape(actual: unknown, real: unknown, at: string): void {
  if (Array.isArray(real)) {
    assert(Array.isArray(actual) && actual.length > 0, `${at}: a list`);
    assertShape(actual[0], real[0], `${at}[0]`);
    return;
  }
  assert.equal(actual === null ? 'null' : typeof actual, real === null ? 'null' : typeof real, at);
  if (typeof real !== 'object' || real === null) return;
  const [fields, found] = [Object.entries(real), actual as Record<string, unknown>];
  const byId = fields.length > 0 && fields.every(([key]) => /^\d+$/.test(key));
  for (const [key, value] of fields) assertShape(byId ? Object.values(found)[0] : found[key], value, `${at}.${key}`);
}
