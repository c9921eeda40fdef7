import type { Adapter, Node, Role, SystemState, Toolkit } from '../../src/kind/adapter.ts';
import { counterDrift } from './drift.ts';
import { judge, limitersOf, look, redisOf } from './health.ts';
import { firstOf, get, isRegistered, type Parsed } from './limiter.ts';
import { readDirect, readInfo } from './redis.ts';
import { bounds } from './service/keys.ts';

const parts = ['limits', 'counters', 'blocks', 'nodes'] as const;

/** Three nodes of a sliding-window rate limiter on one Redis. */
export const adapter: Adapter = {
  kind: 'ratelimiter',
  summary: 'Sliding-window rate limiter: three API nodes on one Redis.',
  nodeTypes: { limiter1: 'limiter', limiter2: 'limiter', limiter3: 'limiter', redis: 'redis' },
  defaultTarget: { type: 'limiter' },
  imageVariables: ['RATELIMITER_IMAGE', 'REDIS_IMAGE'],
  roleNames: ['limiter', 'redis'],
  volatile: ['nodes.*.last_seen', 'redis.uptime_seconds', 'redis.used_memory_bytes', 'redis.connected_clients'],
  perGeneration: ['nodes.*.started_at', 'nodes.*.instance', 'redis.run_id'],
  chaosTypes: [
    counterDrift,
    {
      name: 'redis_pause',
      summary: 'Freezes Redis: the limiters’ connections stay open and nothing answers.',
      of: 'node_pause',
      defaultTarget: { type: 'redis' },
      nodeTypes: ['redis'],
    },
  ],

  async health(toolkit, signal) {
    return judge(toolkit.nodes, await look(toolkit, signal));
  },

  async state(toolkit, signal) {
    const [redis, limiters] = await Promise.all([readRedis(toolkit, signal), readLimiters(toolkit, signal)]);
    const { parts: read, cut } = limiters ?? (await readDirectly(toolkit, signal));
    return assemble({ ...read, ...redis }, cut);
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

/** The limiters' parts of the state; `cut`: there are more counters than listed. */
interface Read {
  parts: Record<string, unknown>;
  cut: boolean;
}

/** A state from the parts that could be read; the others, and the counters that are left out of a list that was cut, are `missing`. */
export function assemble(read: Record<string, unknown>, cut: boolean): SystemState {
  const names = [...parts, 'redis'];
  const readable = names.filter((name) => name in read);
  return {
    state: Object.fromEntries(readable.map((name) => [name, read[name]])),
    missing: [...names.filter((name) => !(name in read)), ...(cut ? [`counters.beyond_${bounds.counters}`] : [])],
    readable: readable.length > 0,
  };
}

/** All parts through the first limiter that has them all; null when none has. */
async function readLimiters(toolkit: Toolkit, signal: AbortSignal): Promise<Read | null> {
  const answer = await firstOf(limitersOf(toolkit).map((node) => readLimiter(toolkit, node, signal)));
  return answer.ok ? answer.value : null;
}

/** One part after the other, so that a limiter that does not answer costs one time-out. */
async function readLimiter(toolkit: Toolkit, node: Node, signal: AbortSignal): Promise<Parsed<Read>> {
  const read: Read = { parts: {}, cut: false };
  for (const part of parts) {
    const list = listOf(part, await get(toolkit, node, `/api/${part}`, signal));
    if (!list.ok) return list;
    read.parts[part] = list.value.list;
    read.cut ||= list.value.cut;
  }
  return { ok: true, value: read };
}

/** The list under a part's name in a limiter's answer; `cut` when the limiter says that it is not complete. */
export function listOf(part: string, answer: Parsed<Record<string, unknown>>): Parsed<{ list: unknown[]; cut: boolean }> {
  if (!answer.ok) return answer;
  const value = answer.value[part];
  return Array.isArray(value)
    ? { ok: true, value: { list: value, cut: answer.value.complete === false } }
    : { ok: false, why: `/api/${part} answers no list` };
}

async function readDirectly(toolkit: Toolkit, signal: AbortSignal): Promise<Read> {
  const none: Read = { parts: {}, cut: false };
  const redis = redisOf(toolkit);
  if (redis === undefined) return none;
  const answer = await readDirect(toolkit, redis, Number(toolkit.env.RATELIMITER_DEFAULT_WINDOW_MS || 60_000), signal);
  if (!answer.ok) return none;
  const { cut, ...read } = answer.value;
  return { parts: read, cut };
}

async function readRedis(toolkit: Toolkit, signal: AbortSignal): Promise<Record<string, unknown>> {
  const redis = redisOf(toolkit);
  if (redis === undefined) return {};
  const answer = await readInfo(toolkit, redis, signal);
  return answer.ok ? { redis: answer.value } : {};
}
