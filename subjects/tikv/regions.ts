import { number, numbers, record } from './json.ts';

/** Body of `/pd/api/v1/stats/region`. */
export interface RegionStats {
  readonly count: number;
  readonly emptyCount: number | null;
  readonly storageSizeMib: number | null;
  readonly leaders: Record<string, number>;
  readonly peers: Record<string, number>;
}

/** Null when the body has no count. */
export function parseRegionStats(body: unknown): RegionStats | null {
  const fields = record(body);
  const count = number(fields?.count);
  if (fields === null || count === null) return null;
  return {
    count,
    emptyCount: number(fields.empty_count),
    storageSizeMib: number(fields.storage_size),
    leaders: numbers(fields.store_leader_count),
    peers: numbers(fields.store_peer_count),
  };
}

/** `max-replicas` of `/pd/api/v1/config/replicate`; null when there is none. */
export function parseMaxReplicas(body: unknown): number | null {
  return number(record(body)?.['max-replicas']);
}

/** `count` of the `/regions` shape, which the checks share; null when there is none. */
export function parseCount(body: unknown): number | null {
  return number(record(body)?.count);
}

/** How far the regions have their replicas. Not a condition of health: a store of another make may never get all of them. */
export function replication(regions: RegionStats, maxReplicas: number | null): Record<string, unknown> {
  const peers = Object.values(regions.peers).reduce((sum, count) => sum + count, 0);
  return {
    count: regions.count,
    peers,
    max_replicas: maxReplicas,
    fully_replicated: maxReplicas === null ? null : peers === regions.count * maxReplicas,
  };
}
