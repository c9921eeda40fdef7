import type { Node, Toolkit } from '../../src/kind/adapter.ts';
import { decodeReplies, encodeCommand, RespError, type RespValue } from './resp.ts';
import { bounds, keys } from './service/keys.ts';
import {
  type Block,
  type Counter,
  parseBlocks,
  parseCounts,
  parseLimits,
  parseNodes,
  type RegisteredNode,
  type StoredLimit,
} from './service/replies.ts';
import { blocksScript, countsScript, nodesScript } from './service/scripts.ts';

export const redisPort = 6379;

export type Answer<T> = { ok: true; value: T } | { ok: false; why: string };

/** Sends commands over one connection; fails with the reason when one of the replies is missing or an error. */
export async function ask(
  toolkit: Toolkit,
  node: Node,
  commands: readonly (string | number)[][],
  signal: AbortSignal,
): Promise<Answer<RespValue[]>> {
  const wanted = commands.length;
  const send = commands.map(encodeCommand).join('');
  const answer = await toolkit.tcp(node, redisPort, send, (received) => isComplete(received, wanted), {}, signal);
  return answer.reached ? readReplies(answer.text, wanted) : { ok: false, why: answer.why };
}

/** True when no more has to be read: all replies are there, or what came is not Redis. */
function isComplete(received: string, wanted: number): boolean {
  try {
    return decodeReplies(received, wanted) !== null;
  } catch {
    return true;
  }
}

/** The replies, or why they are of no use. */
export function readReplies(received: string, wanted: number): Answer<RespValue[]> {
  try {
    const replies = decodeReplies(received, wanted);
    if (replies === null) return { ok: false, why: received === '' ? 'connection closed' : 'an incomplete reply' };
    const failed = replies.find((reply) => reply instanceof RespError);
    return failed instanceof RespError ? { ok: false, why: failed.message } : { ok: true, value: replies };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** PING as one inline command; ok only for PONG. */
export async function ping(toolkit: Toolkit, node: Node, signal: AbortSignal): Promise<Answer<'+PONG'>> {
  const answer = await toolkit.tcp(node, redisPort, 'PING\r\n', (received) => received.includes('\r\n'), {}, signal);
  if (!answer.reached) return { ok: false, why: answer.why };
  return readPong(answer.text);
}

/** Only `+PONG` is proof; `-LOADING …` and whatever else are not. */
export function readPong(received: string): Answer<'+PONG'> {
  if (received.startsWith('+PONG\r\n')) return { ok: true, value: '+PONG' };
  const line = received.split('\r\n')[0] ?? '';
  return { ok: false, why: line === '' ? 'connection closed' : `answered ${line.slice(0, 200)}` };
}

/** What the state says of Redis itself. */
export interface RedisInfo {
  version: string;
  run_id: string;
  uptime_seconds: number;
  used_memory_bytes: number;
  maxmemory_bytes: number;
  connected_clients: number;
  aof_last_write_status: string;
  keys: number;
}

export async function readInfo(toolkit: Toolkit, node: Node, signal: AbortSignal): Promise<Answer<RedisInfo>> {
  const answer = await ask(toolkit, node, [['INFO', 'server', 'clients', 'memory', 'persistence'], ['DBSIZE']], signal);
  if (!answer.ok) return answer;
  const [info, size] = answer.value;
  return parseInfo(typeof info === 'string' ? info : '', Number(size));
}

/** Reads INFO's `name:value` lines. A field that is missing makes the whole of it unusable. */
export function parseInfo(info: string, dbSize: number): Answer<RedisInfo> {
  const fields = new Map(
    info
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const),
  );
  const number = (name: string) => Number(fields.get(name) ?? Number.NaN);
  const value: RedisInfo = {
    version: fields.get('redis_version') ?? '',
    run_id: fields.get('run_id') ?? '',
    uptime_seconds: number('uptime_in_seconds'),
    used_memory_bytes: number('used_memory'),
    maxmemory_bytes: number('maxmemory'),
    connected_clients: number('connected_clients'),
    aof_last_write_status: fields.get('aof_last_write_status') ?? '',
    keys: dbSize,
  };
  const bad = Object.entries(value).find(([, v]) => v === '' || Number.isNaN(v))?.[0];
  return bad === undefined ? { ok: true, value } : { ok: false, why: `INFO has no ${bad}` };
}

/** The four parts of the limiter's state. */
export interface LimiterState {
  limits: StoredLimit[];
  counters: Counter[];
  blocks: Block[];
  nodes: RegisteredNode[];
}

/** Most rounds of SCAN, some 10,000 keys each: what Redis' memory holds is far less. */
const mostScans = 100;

/** Reads the limiter's state from Redis, for when no limiter answers. Counters without a known window are counted over `defaultWindowMs`. */
export async function readDirect(
  toolkit: Toolkit,
  node: Node,
  defaultWindowMs: number,
  signal: AbortSignal,
): Promise<Answer<LimiterState & { cut: boolean }>> {
  const first = await ask(
    toolkit,
    node,
    [
      ['HGETALL', keys.limits],
      ['EVAL', blocksScript, 2, keys.blocks, keys.blockCounts, bounds.blocks],
      ['EVAL', nodesScript, 1, keys.nodes],
    ],
    signal,
  );
  if (!first.ok) return first;
  const [limits, blocks, nodes] = first.value;
  const found = await scanCounters((cursor) => scanOnce(toolkit, node, cursor, signal));
  if (!found.ok) return found;
  const { listed, cut } = found.value;
  const counts = await ask(toolkit, node, [['EVAL', countsScript, 1, keys.limits, defaultWindowMs, ...listed]], signal);
  if (!counts.ok) return counts;
  return {
    ok: true,
    value: {
      limits: parseLimits(Array.isArray(limits) ? limits : []),
      counters: parseCounts(listed, counts.value[0]),
      blocks: parseBlocks(blocks),
      nodes: parseNodes(nodes),
      cut,
    },
  };
}

async function scanOnce(toolkit: Toolkit, node: Node, cursor: string, signal: AbortSignal): Promise<Answer<RespValue | undefined>> {
  const scan = ['SCAN', cursor, 'MATCH', keys.counterPattern, 'COUNT', 10 * bounds.counters, 'TYPE', 'zset'];
  const answer = await ask(toolkit, node, [scan], signal);
  return answer.ok ? { ok: true, value: answer.value[0] } : answer;
}

/** Keys of the counters, sorted, at most as many as the limiters list; `cut`: there are more, or the scan was given up. */
export async function scanCounters(
  scan: (cursor: string) => Promise<Answer<RespValue | undefined>>,
): Promise<Answer<{ listed: string[]; cut: boolean }>> {
  const found = new Set<string>();
  let cursor = '0';
  for (let round = 0; round < mostScans && found.size <= bounds.counters; round++) {
    const answer = await scan(cursor);
    if (!answer.ok) return answer;
    const [next, names] = Array.isArray(answer.value) ? answer.value : [];
    if (typeof next !== 'string' || !Array.isArray(names)) return { ok: false, why: 'SCAN answers no cursor and list' };
    for (const name of names) found.add(String(name).slice(keys.counterPrefix.length));
    cursor = next;
    if (cursor === '0') break;
  }
  return { ok: true, value: { listed: [...found].sort().slice(0, bounds.counters), cut: cursor !== '0' || found.size > bounds.counters } };
}
