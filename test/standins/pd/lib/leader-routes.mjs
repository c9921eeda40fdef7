import * as etcd from './etcd.mjs';
import { shuffled } from './json.mjs';
import { renderRegion, stats } from './regions.mjs';
import { badNumber, compact, goPanic, json, notBootstrapped, notFound } from './reply.mjs';
import { render, stateName } from './store.mjs';
import { nowNs, rfc3339Nano } from './time.mjs';

const version = 'v8.5.5';
const gitHash = 'standin';

/** What the leader answers: `[method, pattern under /pd/api/v1, handler]`. A handler gets `(pd, match, query, body)`. */
export const leaderRoutes = [
  ['GET', /^\/members$/, members],
  ['GET', /^\/leader$/, async (pd) => json(brief(await memberNamed(pd.self.name)))],
  ['POST', /^\/leader\/resign$/, resign],
  ['POST', /^\/leader\/transfer\/([^/]+)$/, transfer],
  ['GET', /^\/cluster$/, (pd) => json({ id: pd.cluster.id, max_peer_count: pd.cluster.config['max-replicas'] })],
  ['GET', /^\/cluster\/status$/, clusterStatus],
  ['GET', /^\/config\/schedule$/, (pd) => json({ 'max-store-down-time': pd.cluster.config['max-store-down-time'] })],
  ['POST', /^\/config\/schedule$/, configure],
  ['GET', /^\/config\/replicate$/, (pd) => json({ 'max-replicas': pd.cluster.config['max-replicas'], 'enable-placement-rules': 'true' })],
  ['GET', /^\/stores$/, bootstrapped(stores)],
  ['GET', /^\/stores\/check$/, bootstrapped(storesCheck)],
  ['GET', /^\/store\/([^/]+)$/, bootstrapped(store)],
  ['DELETE', /^\/store\/([^/]+)$/, bootstrapped(removeStore)],
  ['GET', /^\/stats\/region$/, bootstrapped(statsRegion)],
  ['GET', /^\/regions$/, bootstrapped((pd) => regions(pd, () => true))],
  ['GET', /^\/regions\/count$/, bootstrapped((pd) => json({ count: pd.cluster.regions.all.length, regions: null }))],
  [
    'GET',
    /^\/regions\/store\/(\d+)$/,
    bootstrapped((pd, [, id]) => regions(pd, ({ peers }) => peers.some(({ store: at }) => at === Number(id)))),
  ],
  ['GET', /^\/regions\/check\/([a-z-]+)$/, bootstrapped(regionCheck)],
  ['GET', /^\/region\/id\/(\d+)$/, bootstrapped(regionById)],
  ['GET', /^\/operators$/, bootstrapped(() => json([]))],
  ['GET', /^\/schedulers$/, bootstrapped(() => json(['balance-leader-scheduler', 'balance-region-scheduler']))],
  [
    'GET',
    /^\/hotspot\/stores$/,
    (pd) => (pd.cluster.bootstrappedAt === null ? goPanic('runtime error: invalid memory address') : json({})),
  ],
];

function bootstrapped(handler) {
  return (pd, ...rest) => (pd.cluster.bootstrappedAt === null ? notBootstrapped() : handler(pd, ...rest));
}

const brief = (member) => ({ name: member.name, member_id: member.id, peer_urls: member.peerUrls, client_urls: member.clientUrls });
const full = (member) => ({ ...brief(member), deploy_path: '/', binary_version: version, git_hash: gitHash });

async function memberNamed(name) {
  return (await etcd.members()).find((member) => member.name === name);
}

async function members(pd) {
  const all = await etcd.members();
  const { leader } = await etcd.status();
  const self = all.find(({ name }) => name === pd.self.name);
  const etcdLeader = all.find(({ id }) => id === leader);
  return json({
    header: { cluster_id: pd.cluster.id },
    members: all.map(full),
    ...(self ? { leader: full(self) } : {}),
    ...(etcdLeader ? { etcd_leader: full(etcdLeader) } : {}),
  });
}

async function resign(pd) {
  const { self } = await etcd.status();
  const other = (await etcd.members()).find(({ id }) => id !== self);
  if (other === undefined) return json('no valid pd to transfer etcd leader', 500);
  await etcd.transfer(other.id);
  await pd.election.resign();
  return json('The resign command is submitted.');
}

async function transfer(pd, [, name]) {
  const target = await memberNamed(name);
  if (target === undefined) return json('no valid pd to transfer etcd leader', 500);
  await etcd.transfer(target.id);
  await pd.election.resign();
  return json('The transfer command is submitted.');
}

function clusterStatus({ cluster }) {
  const at = cluster.bootstrappedAt;
  return json({
    raft_bootstrap_time: at === null ? '0001-01-01T00:00:00Z' : rfc3339Nano(BigInt(at)),
    is_initialized: at !== null && cluster.regions.all.every(({ peers }) => peers.length >= cluster.config['max-replicas']),
    replication_status: '',
  });
}

async function configure(pd, _match, _query, body) {
  await pd.cluster.configure(JSON.parse(body));
  return json('The config is updated.');
}

function storeList({ cluster }, keep) {
  const now = nowNs();
  const kept = shuffled([...cluster.stores.values()]).filter((each) => keep(each, now));
  return json({ count: kept.length, stores: kept.map((each) => render(each, cluster.regions, now, cluster.maxDownNs)) });
}

function stores(pd, _match, query) {
  const wanted = query.getAll('state');
  if (wanted.some((state) => !/^[012]$/.test(state))) return json(`unknown state ${wanted.join()}`, 500);
  return storeList(pd, ({ state }) => (wanted.length === 0 ? state !== 2 : wanted.includes(String(state))));
}

function storesCheck(pd, _match, query) {
  const wanted = query.getAll('state').map((state) => state.toLowerCase());
  const unknown = wanted.find((state) => !['up', 'offline', 'tombstone', 'disconnected', 'down'].includes(state));
  if (unknown !== undefined) return json(`unknown StoreState: ${unknown}`, 400);
  return storeList(pd, (each, now) => wanted.length === 0 || wanted.includes(stateName(each, now, pd.cluster.maxDownNs).toLowerCase()));
}

function store({ cluster }, [, id]) {
  if (!/^\d+$/.test(id)) return badNumber(id);
  const found = cluster.stores.get(Number(id));
  if (found === undefined) return json(`[PD:core:ErrStoreNotFound]store ${id} not found`, 404);
  return json(render(found, cluster.regions, nowNs(), cluster.maxDownNs));
}

async function removeStore({ cluster }, [, id]) {
  if (!/^\d+$/.test(id)) return badNumber(id);
  const refused = await cluster.remove(Number(id));
  return refused === null ? json('The store is set as Offline.') : json(refused.text, refused.status);
}

function statsRegion({ cluster }, _match, query) {
  const whole = stats(cluster.regions);
  if (!query.has('count')) return json(whole);
  const hollow = Object.entries(whole).map(([key, value]) => [key, typeof value === 'number' ? 0 : null]);
  return json({ ...Object.fromEntries(hollow), count: whole.count });
}

function regions({ cluster }, keep) {
  const now = nowNs();
  const kept = shuffled(cluster.regions.all.filter(keep));
  return compact({ count: kept.length, regions: kept.map((region) => renderRegion(cluster.regions, region, now)) });
}

function regionCheck(pd, [, check]) {
  const { cluster } = pd;
  const now = nowNs();
  const checks = {
    'miss-peer': ({ peers }) => peers.length < cluster.config['max-replicas'],
    'extra-peer': ({ peers }) => peers.length > cluster.config['max-replicas'],
    'pending-peer': ({ pending }) => pending.length > 0,
    'down-peer': (region) => cluster.regions.downPeers(region, now).length > 0,
    'learner-peer': () => false,
    'offline-peer': ({ peers }) => peers.some(({ store: id }) => cluster.stores.get(id)?.state === 1),
    'empty-region': () => true,
    'oversized-region': () => false,
    'undersized-region': () => false,
  };
  return checks[check] === undefined ? notFound() : regions(pd, checks[check]);
}

function regionById({ cluster }, [, id]) {
  const region = cluster.regions.all.find((each) => each.id === Number(id));
  if (region === undefined) return compact({ id: 0, start_key: '', end_key: '', epoch: {}, peers: null, leader: {} });
  return compact(renderRegion(cluster.regions, region, nowNs()));
}
