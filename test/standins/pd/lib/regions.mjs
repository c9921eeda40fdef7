const silentNs = 10_000_000_000n;
const downNs = 600_000_000_000n;
const bounds = ['', '6D00000000000000F8', '6E00000000000000F8', '7400000000000000F8', '7500000000000000F8', ''];

/**
 * Five empty regions, as on a fresh cluster. Only what PD shows is modelled: replicas come to stores that report, leaders spread over them,
 * and leave a store that has been silent for ten seconds while a majority reports. With the majority gone everything stays as it was.
 */
export class Regions {
  constructor(all) {
    this.all = all;
  }

  /** The regions of a cluster that this store bootstraps; ids from `id` on. */
  static first(storeId, id) {
    return new Regions(
      [0, 1, 2, 3, 4].map((i) => ({
        id: id + 2 * i,
        start: bounds[i],
        end: bounds[i + 1],
        confVer: 1,
        version: 5,
        peers: [{ id: id + 2 * i + 1, store: storeId }],
        leader: storeId,
        pending: [],
      })),
    );
  }

  leadersOn(storeId) {
    return this.all.filter(({ leader }) => leader === storeId);
  }

  peersOn(storeId) {
    return this.all.filter(({ peers }) => peers.some(({ store }) => store === storeId));
  }

  pendingOn(storeId) {
    return this.all.filter(({ pending }) => pending.includes(storeId));
  }

  /** Brings the regions up to what the stores report now. Answers whether anything changed. */
  follow(stores, now, replicas) {
    this.stores = stores;
    const alive = new Set(stores.filter(({ state, heartbeat }) => state === 0 && now - heartbeat < silentNs).map(({ id }) => id));
    const before = JSON.stringify(this.all);
    for (const region of this.all) {
      this.#replicate(region, alive, replicas);
      const reporting = region.peers.filter(({ store }) => alive.has(store));
      if (reporting.length * 2 <= region.peers.length) continue;
      if (!alive.has(region.leader)) {
        region.pending = [...new Set([...region.pending, region.leader])];
        region.leader = this.#least(reporting.map(({ store }) => store));
      }
      region.pending = region.pending.filter((store) => !alive.has(store));
    }
    this.#spread(alive);
    return JSON.stringify(this.all) !== before;
  }

  /** Peers of a region whose store has been silent for ten minutes. */
  downPeers(region, now) {
    return (this.stores ?? [])
      .filter(({ id, heartbeat }) => region.peers.some(({ store }) => store === id) && now - heartbeat > downNs)
      .map(({ id, heartbeat }) => ({ store: id, seconds: Number((now - heartbeat) / 1_000_000_000n) }));
  }

  #replicate(region, alive, replicas) {
    const missing = [...alive].find((store) => !region.peers.some((peer) => peer.store === store));
    if (missing === undefined || region.peers.length >= replicas) return;
    region.peers.push({ id: region.id * 100 + region.peers.length, store: missing });
    region.confVer += 2;
  }

  /** One leader a round from the busiest store to the idlest. */
  #spread(alive) {
    const counts = [...alive].map((store) => ({ store, count: this.leadersOn(store).length })).sort((a, b) => a.count - b.count);
    const [idle, busy] = [counts[0], counts.at(-1)];
    if (idle === undefined || busy.count - idle.count < 2) return;
    const moved = this.leadersOn(busy.store).find(({ peers }) => peers.some(({ store }) => store === idle.store));
    if (moved) moved.leader = idle.store;
  }

  #least(stores) {
    return stores.reduce((least, store) => (this.leadersOn(store).length < this.leadersOn(least).length ? store : least));
  }
}

const peerJson = ({ id, store }) => ({ role_name: 'Voter', id, store_id: store });

/** One element of `/regions`; empty lists are absent. */
export function renderRegion(regions, region, now) {
  const peerOn = (store) => region.peers.find((peer) => peer.store === store);
  const down = regions.downPeers(region, now);
  return {
    id: region.id,
    start_key: region.start,
    end_key: region.end,
    epoch: { conf_ver: region.confVer, version: region.version },
    peers: region.peers.map(peerJson),
    leader: peerJson(peerOn(region.leader)),
    ...(down.length > 0
      ? { down_peers: down.map(({ store, seconds }) => ({ peer: peerJson(peerOn(store)), down_seconds: seconds })) }
      : {}),
    ...(region.pending.length > 0 ? { pending_peers: region.pending.map((store) => peerJson(peerOn(store))) } : {}),
    ...{ cpu_usage: 0, written_bytes: 0, read_bytes: 0, written_keys: 0, read_keys: 0, approximate_size: 1, approximate_keys: 0 },
  };
}

/** `/stats/region`; a store without leaders is absent from the leader maps. */
export function stats(regions) {
  const tally = (pick, weight) => {
    const sums = {};
    for (const region of regions.all) for (const store of pick(region)) sums[store] = (sums[store] ?? 0) + weight;
    return sums;
  };
  const leader = ({ leader: store }) => [store];
  const peers = (region) => region.peers.map(({ store }) => store);
  return {
    ...{ count: regions.all.length, empty_count: regions.all.length, storage_size: regions.all.length },
    ...{ user_storage_size: 0, storage_keys: 0 },
    ...{ store_leader_count: tally(leader, 1), store_peer_count: tally(peers, 1) },
    ...{ store_leader_size: tally(leader, 1), store_leader_keys: tally(leader, 0) },
    ...{ store_peer_size: tally(peers, 1), store_peer_keys: tally(peers, 0) },
  };
}
