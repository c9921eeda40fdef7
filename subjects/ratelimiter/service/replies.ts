/** What Redis' replies mean: pure functions, used by the service and by the adapter when it has to ask Redis itself. */

export interface Limit {
  limit: number;
  window_ms: number;
}
export type StoredLimit = { key: string } & Limit;
export interface Counter {
  key: string;
  count: number;
  window_ms: number;
}
export interface Block {
  key: string;
  /** Refused checks since the key came on the list. */
  count: number;
  last_at: string;
}
export interface RegisteredNode {
  id: string;
  address: string;
  /** Start of the node's process, by its own clock. */
  started_at: string;
  /** Last heartbeat, by Redis' clock. */
  last_seen: string;
  /** Differs for each start. */
  instance: string;
}

/** Field of the limits hash. */
export function limitField({ limit, window_ms }: Limit): string {
  return `${limit}:${window_ms}`;
}

/** Reads a field of the limits hash; null when it is none. */
export function parseLimit(field: unknown): Limit | null {
  const match = typeof field === 'string' ? /^(\d{1,9}):(\d{1,9})$/.exec(field) : null;
  return match ? { limit: Number(match[1]), window_ms: Number(match[2]) } : null;
}

/** HGETALL of the limits, sorted by key. Fields that are no limits are left out: a check of such a key says what is wrong. */
export function parseLimits(flat: readonly unknown[]): StoredLimit[] {
  const limits: StoredLimit[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const limit = parseLimit(flat[i + 1]);
    if (limit) limits.push({ key: String(flat[i]), ...limit });
  }
  return limits.sort(by((l) => l.key));
}

/** Answer of the counts script for these keys, sorted by key. */
export function parseCounts(keys: readonly string[], reply: unknown): Counter[] {
  const counts = list(reply);
  return keys
    .map((key, i) => {
      const [count, window] = list(counts[i]);
      return { key, count: Number(count), window_ms: Number(window) };
    })
    .sort(by((c) => c.key));
}

/** Answer of the blocks script, the latest first. */
export function parseBlocks(reply: unknown): Block[] {
  const flat = list(reply);
  const blocks: Block[] = [];
  for (let i = 0; i + 2 < flat.length; i += 3) {
    blocks.push({ key: String(flat[i]), count: Number(flat[i + 2]), last_at: time(flat[i + 1]) });
  }
  return blocks;
}

/** Answer of the nodes script, sorted by id. */
export function parseNodes(reply: unknown): RegisteredNode[] {
  return list(reply)
    .map((node) => {
      const [id, address, startedAt, instance, lastSeen] = list(node);
      return {
        id: String(id),
        address: String(address),
        started_at: time(startedAt),
        last_seen: time(lastSeen),
        instance: String(instance),
      };
    })
    .sort(by((n) => n.id));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function time(ms: unknown): string {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

function by<T>(name: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0);
}
