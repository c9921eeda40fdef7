import type { Adapter, Node, Role, SystemState, Toolkit } from '../../src/kind/adapter.ts';
import { counterDrift } from './drift.ts';
import { judge, limitersOf, look, redisOf } from './health.ts';
import { firstOf, get, isRegistered, type Parsed } from './limiter.ts';
import { type LimiterState, readDirect, readInfo } from './redis.ts';

const parts = ['limits', 'counters', 'blocks', 'nodes'] as const;

/** Three nodes of a sliding-window rate limiter on one Redis. */
export const adapter: Adapter = {
  kind: 'ratelimiter',
  summary: 'Sliding-window rate limiter: three API nodes on one Redis.',
  nodeTypes: { limiter1: 'limiter', limiter2: 'limiter', limiter3: 'limiter', redis: 'redis' },
  defaultTarget: { type: 'limiter' },
  imageVariables: ['RATELIMITER_IMAGE', 'REDIS_IMAGE'],
  roleNames: ['limiter', 'redis'],
  chaosTypes: [
    counterDrift,
    {
      name: 'redis_pause',
      summary: 'Freezes Redis: the limiters’ connections stay open and nothing answers.',
      of: 'node_pause',
      defaultTarget: { type: 'redis' },
    },
  ],

  async health(toolkit, signal) {
    return judge(toolkit.nodes, await look(toolkit, signal));
  },

  async state(toolkit, signal) {
    const [redis, limiters] = await Promise.all([readRedis(toolkit, signal), readLimiters(toolkit, signal)]);
    return assemble({ ...(limiters ?? (await readDirectly(toolkit, signal))), ...redis });
  },

  async roles(toolkit, signal) {
    const { redis, limiters, registered } = await look(toolkit, signal);
    const roles: Role[] = [];
    for (const [node, reply] of limiters) {
      if (reply.ok && registered.ok && isRegistered(reply.value, registered.value)) {
        roles.push({ node, role: 'limiter', proof: { '/health': { ...reply.value }, '/api/nodes': 'registered' } });
      }
    }
    for (const [node, reply] of redis) if (reply.ok) roles.push({ node, role: 'redis', proof: { PING: reply.value } });
    return roles;
  },
};

/** A state from the parts that could be read; the others are `missing`. */
export function assemble(read: Record<string, unknown>): SystemState {
  const names = [...parts, 'redis'];
  const readable = names.filter((name) => name in read);
  return {
    state: Object.fromEntries(readable.map((name) => [name, read[name]])),
    missing: names.filter((name) => !(name in read)),
    readable: readable.length > 0,
  };
}

/** All parts through the first limiter that has them all; null when none has. */
async function readLimiters(toolkit: Toolkit, signal: AbortSignal): Promise<Record<string, unknown> | null> {
  const answer = await firstOf(limitersOf(toolkit).map((node) => readLimiter(toolkit, node, signal)));
  return answer.ok ? answer.value : null;
}

/** One part after the other, so that a limiter that does not answer costs one time-out. */
async function readLimiter(toolkit: Toolkit, node: Node, signal: AbortSignal): Promise<Parsed<Record<string, unknown>>> {
  const read: Record<string, unknown> = {};
  for (const part of parts) {
    const list = listOf(part, await get(toolkit, node, `/api/${part}`, signal));
    if (!list.ok) return list;
    read[part] = list.value;
  }
  return { ok: true, value: read };
}

/** The list under a part's name in a limiter's answer. */
export function listOf(part: string, answer: Parsed<Record<string, unknown>>): Parsed<unknown[]> {
  if (!answer.ok) return answer;
  const value = answer.value[part];
  return Array.isArray(value) ? { ok: true, value } : { ok: false, why: `/api/${part} answers no list` };
}

async function readDirectly(toolkit: Toolkit, signal: AbortSignal): Promise<Partial<LimiterState>> {
  const redis = redisOf(toolkit);
  if (redis === undefined) return {};
  const answer = await readDirect(toolkit, redis, Number(toolkit.env.RATELIMITER_DEFAULT_WINDOW_MS || 60_000), signal);
  return answer.ok ? answer.value : {};
}

async function readRedis(toolkit: Toolkit, signal: AbortSignal): Promise<Record<string, unknown>> {
  const redis = redisOf(toolkit);
  if (redis === undefined) return {};
  const answer = await readInfo(toolkit, redis, signal);
  return answer.ok ? { redis: answer.value } : {};
}
