import { bounds, keys } from './keys.ts';
import { Problem } from './problem.ts';
import { type RedisConnection, script } from './redis.ts';
import {
  type Block,
  type Counter,
  type Limit,
  limitField,
  parseBlocks,
  parseCounts,
  parseLimit,
  parseLimits,
  parseNodes,
  type RegisteredNode,
  type StoredLimit,
} from './replies.ts';
import { beatScript, blocksScript, checkScript, countsScript, leaveScript, nodesScript, putLimitScript, resetScript } from './scripts.ts';

export interface CheckRequest {
  key: string;
  limit?: number;
  window_ms?: number;
}

export interface CheckResult {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** Milliseconds until a slot becomes free. */
  reset_ms: number;
}

const scripts = {
  check: script(checkScript),
  counts: script(countsScript),
  putLimit: script(putLimitScript),
  reset: script(resetScript),
  blocks: script(blocksScript),
  beat: script(beatScript),
  leave: script(leaveScript),
  nodes: script(nodesScript),
};

/** Counters, limits, blocks and nodes as they are in Redis. Every method throws `redis_unavailable` or `redis_refused`. */
export class Store {
  readonly #redis: RedisConnection;
  readonly #defaults: Limit;
  readonly #instance: string;
  #members = 0;

  /** `instance` must differ for each start of each node: entries of counters are told apart by it. */
  constructor(redis: RedisConnection, defaults: Limit, instance: string) {
    this.#redis = redis;
    this.#defaults = defaults;
    this.#instance = instance;
  }

  get defaults(): Limit {
    return this.#defaults;
  }

  /** Decides one check. If this throws, the check may have used a slot, but it was not allowed. */
  async check({ key, limit, window_ms }: CheckRequest): Promise<CheckResult> {
    this.#members += 1;
    const reply = await this.#redis.script(
      scripts.check,
      [keys.counter(key), keys.window(key), keys.limits, keys.blocks, keys.blockCounts],
      [
        key,
        `${this.#instance}:${this.#members}`,
        limit ?? '',
        window_ms ?? '',
        this.#defaults.limit,
        this.#defaults.window_ms,
        bounds.limit,
        bounds.blocks,
      ],
    );
    const [allowed, used, count, reset] = reply as [number, number, number, number];
    return { allowed: allowed === 1, limit: used, remaining: Math.max(0, used - count), reset_ms: reset };
  }

  async ping(): Promise<void> {
    await this.#redis.run((redis) => redis.ping());
  }

  async limits(): Promise<StoredLimit[]> {
    const flat = await this.#redis.run((redis) => redis.hgetall(keys.limits));
    return parseLimits(Object.entries(flat).flat());
  }

  /** The stored limit of a key, or null. */
  async limit(key: string): Promise<Limit | null> {
    const field = await this.#redis.run((redis) => redis.hget(keys.limits, key));
    if (field === null) return null;
    const limit = parseLimit(field);
    if (limit === null) throw new Problem('redis_refused', `The stored limit of ${key} is none: ${field}`);
    return limit;
  }

  async putLimit(key: string, limit: Limit): Promise<void> {
    const stored = await this.#redis.script(scripts.putLimit, [keys.limits], [key, limitField(limit), bounds.limits]);
    if (stored !== 1) throw new Problem('too_many_limits', `At most ${bounds.limits} limits can be stored; delete some.`);
  }

  /** Replaces all stored limits at once. */
  async replaceLimits(limits: readonly StoredLimit[]): Promise<void> {
    await this.#redis.run(async (redis) => {
      const transaction = redis.multi().del(keys.limits);
      if (limits.length > 0) transaction.hset(keys.limits, Object.fromEntries(limits.map((l) => [l.key, limitField(l)])));
      const replies = await transaction.exec();
      const failed = replies?.find(([error]) => error !== null)?.[0];
      if (failed) throw failed;
    });
  }

  async deleteLimit(key: string): Promise<void> {
    await this.#redis.run((redis) => redis.hdel(keys.limits, key));
  }

  /** Counters with what their windows hold now; at most 1000, then `complete` is false. */
  async counters(): Promise<{ counters: Counter[]; complete: boolean }> {
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, names] = await this.#redis.run((redis) =>
        redis.scan(cursor, 'MATCH', keys.counterPattern, 'COUNT', 500, 'TYPE', 'zset'),
      );
      for (const name of names) found.add(name.slice(keys.counterPrefix.length));
      cursor = next;
    } while (cursor !== '0' && found.size <= bounds.counters);
    const listed = [...found].sort().slice(0, bounds.counters);
    const reply = await this.#redis.script(scripts.counts, [keys.limits], [this.#defaults.window_ms, ...listed]);
    return { counters: parseCounts(listed, reply), complete: found.size <= bounds.counters };
  }

  /** Empties a counter; answers how many checks it held. */
  async resetCounter(key: string): Promise<number> {
    return Number(await this.#redis.script(scripts.reset, [keys.counter(key), keys.window(key)], []));
  }

  /** Keys with refused checks, the latest first; the oldest are forgotten beyond 1000. */
  async blocks(): Promise<Block[]> {
    return parseBlocks(await this.#redis.script(scripts.blocks, [keys.blocks, keys.blockCounts], [bounds.blocks]));
  }

  async nodes(): Promise<RegisteredNode[]> {
    return parseNodes(await this.#redis.script(scripts.nodes, [keys.nodes], []));
  }

  async beat(node: { id: string; address: string; startedAt: number }, ttlMs: number): Promise<void> {
    await this.#redis.script(
      scripts.beat,
      [keys.nodes, keys.node(node.id)],
      [node.id, node.address, node.startedAt, this.#instance, ttlMs],
    );
  }

  async leave(id: string): Promise<void> {
    await this.#redis.script(scripts.leave, [keys.nodes, keys.node(id)], [id, this.#instance]);
  }
}
