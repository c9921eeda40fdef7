/**
 * Where things stand in Redis. Only the counters are under `ratelimit:`; everything else is under `ratelimiter:`, so that a scan for
 * `ratelimit:*` finds counters and nothing else.
 */
export const keys = {
  /** Sorted set of the checks allowed for a key: score is Redis' time in ms with three decimals, members are unique. */
  counter: (key: string) => `ratelimit:${key}`,
  /** Pattern and prefix of the counters. */
  counterPattern: 'ratelimit:*',
  counterPrefix: 'ratelimit:',
  /** Longest window in ms asked for the key since its counter was last empty. */
  window: (key: string) => `ratelimiter:window:${key}`,
  windowPrefix: 'ratelimiter:window:',
  /** Hash: key → `limit:window_ms`. */
  limits: 'ratelimiter:limits',
  /** Sorted set: key → time of its last refused check; and a hash: key → how many. */
  blocks: 'ratelimiter:blocks',
  blockCounts: 'ratelimiter:block_counts',
  /** Set of node ids, and a hash per node that expires unless the node beats. */
  nodes: 'ratelimiter:nodes',
  node: (id: string) => `ratelimiter:node:${id}`,
  nodePrefix: 'ratelimiter:node:',
} as const;

/** What bounds memory and answers. */
export const bounds = {
  keyLength: 128,
  limit: 10_000,
  windowMs: 3_600_000,
  /** Stored limits. */
  limits: 10_000,
  /** Counters in one answer. */
  counters: 1000,
  /** Keys whose refusals are remembered. */
  blocks: 1000,
} as const;

/** Pattern of a key: visible ASCII. */
export const keyPattern = '^[\\x21-\\x7e]+$';
