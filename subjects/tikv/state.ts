import type { Node, SystemState } from '../../src/kind/adapter.ts';
import { rfc3339 } from '../../src/lib/clock.ts';
import { best, leaderOf, rank } from './rank.ts';
import { replication } from './regions.ts';
import type { Store } from './stores.ts';
import { ageMs } from './time.ts';
import { heardSinceStart, nodeOf, unexpected } from './verdict.ts';
import { type PdView, regionChecks } from './view.ts';

/**
 * The system's state: what PD says of stores, regions and itself, and beside it what PD cannot know in time: which containers run and how old
 * each heartbeat is. Right after a kill PD still says `Up` three times, and only those tell. An unreadable part is null and named in `missing`.
 */
export function capture(nodes: readonly Node[], views: readonly PdView[], nowMs: number): SystemState {
  const ranked = rank(views, nodes);
  const missing: string[] = [];
  const read = <T>(names: string[], answer: ReturnType<typeof best<T>>): T | null => {
    if ('body' in answer) return answer.body;
    missing.push(...names);
    return null;
  };
  const told = best(ranked, (view) => view.stores);
  const bare = !('body' in told) && told.kind === 'not_bootstrapped';
  const stores = bare ? [] : read(['stores', 'store_count', 'bootstrapped', 'unexpected_stores'], told);
  const regions = bare
    ? null
    : read(
        ['region_count', 'regions'],
        best(ranked, (view) => view.regions),
      );
  const membership = read(
    ['cluster_id', 'members', 'etcd_leader'],
    best(ranked, (view) => view.members),
  );
  const memberHealth = read(
    ['members.healthy'],
    best(ranked, (view) => view.health),
  );
  const replicas = read(
    ['regions.max_replicas', 'regions.fully_replicated'],
    best(ranked, (view) => view.maxReplicas),
  );
  const leader = ranked[0] === undefined ? null : leaderOf(ranked[0], nodes);
  if (leader === null) missing.push('leader');
  const checks = Object.fromEntries(
    regionChecks.map((check) => {
      const name = check.replace('-', '_');
      return [
        name,
        bare
          ? 0
          : read(
              [`regions.${name}`],
              best(ranked, (view) => view.checks[check]),
            ),
      ];
    }),
  );
  const state = {
    bootstrapped: bare ? false : stores === null ? null : true,
    store_count: stores?.length ?? null,
    stores: stores?.map((store) => describe(store, stores, nodes, nowMs)) ?? null,
    unexpected_stores: stores === null ? null : unexpected(nodes, stores).map(({ id }) => id),
    region_count: bare ? 0 : (regions?.count ?? null),
    regions:
      regions === null ? null : { ...replication(regions, replicas), empty: regions.emptyCount, leaders: regions.leaders, ...checks },
    cluster_id: membership?.clusterId ?? null,
    leader,
    etcd_leader: membership?.etcdLeader ?? null,
    members:
      membership?.members
        .map(({ name, memberId, version }) => ({ name, member_id: memberId, version, healthy: memberHealth?.get(name) ?? null }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)) ?? null,
    containers: nodes.map(({ name, type, running, startedAt }) => ({
      node: name,
      type,
      running,
      started_at: startedAt === null ? null : rfc3339(startedAt),
    })),
  };
  return { state, missing, readable: bare || stores !== null || regions !== null || membership !== null };
}

function describe(store: Store, stores: readonly Store[], nodes: readonly Node[], nowMs: number): Record<string, unknown> {
  const node = nodeOf(store, stores, nodes);
  return {
    id: store.id,
    address: store.address,
    state_name: store.stateName,
    node: node?.name ?? null,
    container_running: node?.running ?? null,
    heard_since_start: node === null ? null : heardSinceStart(store, node),
    last_heartbeat_ts: store.heartbeat?.at ?? null,
    heartbeat_age_ms: store.heartbeat === null ? null : ageMs(store.heartbeat.ns, nowMs),
    leader_count: store.leaderCount,
    region_count: store.regionCount,
    pending_peer_count: store.pendingPeers,
    capacity: store.capacity,
    available: store.available,
    used_size: store.usedSize,
    version: store.version,
    start_ts: store.startedAt,
  };
}
