import { omitEmpty } from './json.mjs';
import { goDuration, rfc3339Nano } from './time.mjs';

const disconnectedNs = 20_000_000_000n;

/** A store in memory from its saved fields: a heartbeat that was saved is all that a new leader has. */
export function record(fields) {
  const heartbeat = BigInt(fields.heartbeat ?? '0');
  return { state: 0, nodeState: 0, ...fields, heartbeat, savedHeartbeat: heartbeat, status: {} };
}

/** `state_name`, computed at the moment of reading. */
export function stateName(store, now, maxDownNs) {
  if (store.state !== 0) return store.state === 1 ? 'Offline' : 'Tombstone';
  const age = now - store.heartbeat;
  if (age > maxDownNs) return 'Down';
  return age > disconnectedNs ? 'Disconnected' : 'Up';
}

/** One element of `/stores`, its zero values left out where PD leaves them out. */
export function render(store, regions, now, maxDownNs) {
  const leaders = regions.leadersOn(store.id);
  const peers = regions.peersOn(store.id);
  const pending = regions.pendingOn(store.id);
  const startNs = BigInt(store.startTimestamp ?? 0) * 1_000_000_000n;
  return {
    store: {
      id: store.id,
      address: store.address,
      ...omitEmpty({ state: store.state }),
      version: store.version,
      ...omitEmpty({
        peer_address: store.address,
        status_address: store.statusAddress,
        git_hash: store.gitHash,
        start_timestamp: store.startTimestamp,
        deploy_path: '/',
      }),
      ...(store.heartbeat > 0n ? { last_heartbeat: store.heartbeat } : {}),
      ...omitEmpty({ node_state: store.nodeState }),
      state_name: stateName(store, now, maxDownNs),
    },
    status: {
      capacity: store.status.capacity ?? '0B',
      available: store.status.available ?? '0B',
      used_size: store.status.usedSize ?? '0B',
      leader_count: leaders.length,
      leader_weight: 1,
      leader_score: leaders.length,
      leader_size: leaders.length,
      region_count: peers.length,
      region_weight: 1,
      region_score: peers.length,
      region_size: peers.length,
      ...omitEmpty({ pending_peer_count: pending.length }),
      start_ts: rfc3339Nano(startNs),
      last_heartbeat_ts: rfc3339Nano(store.heartbeat),
      ...(store.heartbeat > startNs ? { uptime: goDuration(store.heartbeat - startNs) } : {}),
    },
  };
}
