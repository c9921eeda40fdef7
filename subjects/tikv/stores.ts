import { id, list, number, record, text } from './json.ts';
import { nanoseconds } from './time.ts';

/** One store as PD describes it, its ids and times uncorrupted. */
export interface Store {
  /** A number, or its decimal text beyond 2^53. */
  readonly id: number | string;
  readonly address: string;
  /** Host part of `address`: the compose service that advertises it. */
  readonly host: string;
  /** `Up`, `Disconnected`, `Down`, `Offline`, `Tombstone`. The only thing to decide by: `state` and `node_state` are absent when zero. */
  readonly stateName: string;
  /** Null: never heard from (PD shows 1970 from the registration to the first heartbeat). */
  readonly heartbeat: { readonly at: string; readonly ns: bigint } | null;
  readonly leaderCount: number;
  readonly regionCount: number;
  readonly pendingPeers: number;
  readonly capacity: string | null;
  readonly available: string | null;
  readonly usedSize: string | null;
  readonly version: string | null;
  readonly startedAt: string | null;
}

/** Body of `/pd/api/v1/stores`, by id (PD's order is random), Tombstones left out; null when it is none. */
export function parseStores(body: unknown): Store[] | null {
  const stores = list(record(body)?.stores)?.map(parseStore);
  if (stores === undefined || stores.includes(null)) return null;
  return stores.filter((store) => store !== null && store.stateName !== 'Tombstone').sort(byId) as Store[];
}

function parseStore(element: unknown): Store | null {
  const store = record(record(element)?.store);
  const status = record(record(element)?.status);
  const storeId = id(store?.id);
  const address = text(store?.address);
  const stateName = text(store?.state_name);
  if (store === null || status === null || storeId === null || address === null || stateName === null) return null;
  return {
    id: storeId,
    address,
    host: hostOf(address),
    stateName,
    heartbeat: heartbeatOf(text(status.last_heartbeat_ts)),
    leaderCount: number(status.leader_count) ?? 0,
    regionCount: number(status.region_count) ?? 0,
    pendingPeers: number(status.pending_peer_count) ?? 0,
    capacity: text(status.capacity),
    available: text(status.available),
    usedSize: text(status.used_size),
    version: text(store.version),
    startedAt: text(status.start_ts),
  };
}

function heartbeatOf(at: string | null): Store['heartbeat'] {
  const ns = at === null ? null : nanoseconds(at);
  return at === null || ns === null || ns <= 0n ? null : { at, ns };
}

/** `tikv0` of `tikv0:20160`, `::1` of `[::1]:20160`. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}

function byId(a: Store | null, b: Store | null): number {
  const [x, y] = [BigInt(a?.id ?? 0), BigInt(b?.id ?? 0)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Newest heartbeat among the stores in nanoseconds since the epoch; 0 when none was ever heard from. */
export function newestHeartbeat(stores: readonly Store[]): bigint {
  return stores.reduce((newest, { heartbeat }) => (heartbeat !== null && heartbeat.ns > newest ? heartbeat.ns : newest), 0n);
}
