import { readFileSync } from 'node:fs';
import type { HttpAnswer, Node, Toolkit } from '../../src/kind/adapter.ts';

/** Body of a capture from a real PD, byte for byte. */
export function captured(name: string): string {
  return readFileSync(new URL(`../standins/pd/captures/${name}.body`, import.meta.url), 'utf8');
}

export type Reply = string | { status: number; text: string; type?: string } | Unanswered;
interface Unanswered {
  why: string;
}
/** Path after `/pd/api/v1` (or `/health` of etcd as `quorum`) → what that PD replies; a text is a 200. A path that is not there is a 404. */
export type Pd = Record<string, Reply>;

export const hangs: Unanswered = { why: 'timeout after 2000 ms' };
export const refuses: Unanswered = { why: 'refused' };
export const quorum = '{"health":"true","reason":""}';
export const noLeader = { status: 503, text: '[PD:apiutil:ErrRedirectNoLeader]redirect finds no leader\n', type: 'text/plain' };
export const deadLeader = { status: 500, text: '[PD:apiutil:ErrRedirect]redirect failed\n', type: 'text/plain' };
export const lostQuorum = { status: 503, text: '{"health":"false","reason":"RAFT NO LEADER"}' };
const topics = ['ping', 'quorum', 'members', 'health', 'stores', 'stats/region', 'config/replicate'];
const checks = ['miss-peer', 'pending-peer', 'down-peer'].map((check) => `regions/check/${check}`);

/** The captures' members and stores under the names of the kind's nodes; nothing else in the text is touched. */
export function renamed(text: string): string {
  return text
    .replaceAll(/"name": "p([123])"/g, (_, n: string) => `"name": "pd${Number(n) - 1}"`)
    .replaceAll(/127\.0\.0\.1:2379([123])/g, (_, n: string) => `pd${Number(n) - 1}:2379`)
    .replaceAll(/127\.0\.0\.1:2026([012])/g, 'tikv$1:20160')
    .replaceAll(/127\.0\.0\.1:2016([012])/g, 'tikv$1:20160');
}

/** One PD of the three captured at once, healthy: pd2 leads, three stores are up, five regions of three replicas. */
export function healthyPd(changes: Pd = {}): Pd {
  const of = (topic: string) => renamed(captured(`30-3pd-follower-or-leader.${topic}`));
  return {
    ping: '',
    quorum,
    members: of('members'),
    health: of('health'),
    stores: of('stores'),
    'stats/region': of('stats-region'),
    'config/replicate': '{"max-replicas": 3}',
    'regions/check/miss-peer': of('check-down'),
    'regions/check/down-peer': of('check-down'),
    'regions/check/pending-peer': of('check-pending'),
    ...changes,
  };
}

/** A PD that answers every path alike. */
export function everywhere(reply: Reply): Pd {
  return Object.fromEntries([...topics, ...checks].map((path) => [path, reply]));
}

/** The captured heartbeats are of 01:02:58; the containers started 20 s before, and the clock stands two seconds after. */
export const heartbeatAt = Date.parse('2026-11-22T01:02:58.360Z');
export const now = heartbeatAt + 2000;

export function node(name: string, changes: Partial<Node> = {}): Node {
  const running = changes.running ?? true;
  return {
    name,
    type: name.startsWith('pd') ? 'pd' : 'tikv',
    container: `tikv-${name}-1`,
    containerId: `id-${name}`,
    running,
    startedAt: heartbeatAt - 20_000,
    address: running ? '10.0.0.9' : null,
    ...changes,
  };
}

export interface World extends Toolkit {
  readonly asked: { node: string; path: string; timeoutMs: number | undefined }[];
}

/** A toolkit over scripted PDs. A node that does not run is not reached, as with the real one. */
export function world(pds: Record<string, Pd>, changes: Record<string, Partial<Node>> = {}, at = now): World {
  const asked: World['asked'] = [];
  const nodes = ['pd0', 'pd1', 'pd2', 'tikv0', 'tikv1', 'tikv2'].map((name) => node(name, changes[name]));
  const unused = () => Promise.reject(new Error('the adapter only speaks HTTP'));
  return {
    subject: 'tikv',
    nodes,
    env: {},
    clock: { now: () => at, mono: () => at },
    asked,
    tcp: unused,
    exec: unused,
    http: async (to, port, path, options, signal) => {
      signal.throwIfAborted();
      asked.push({ node: to.name, path, timeoutMs: options.timeoutMs });
      if (!to.running) return { reached: false, why: 'not running' };
      const key = path === '/health' ? 'quorum' : path.replace('/pd/api/v1/', '');
      return port === 2379 ? answer(pds[to.name]?.[key]) : { reached: false, why: `nothing listens on ${port}` };
    },
  };
}

function answer(reply: Reply | undefined): HttpAnswer {
  if (reply === undefined) return { reached: true, status: 404, headers: {}, text: '404 page not found\n' };
  if (typeof reply === 'string') return { reached: true, status: 200, headers: { 'content-type': 'application/json' }, text: reply };
  if ('why' in reply) return { reached: false, why: reply.why };
  return { reached: true, status: reply.status, headers: { 'content-type': reply.type ?? 'application/json' }, text: reply.text };
}

/** Three PDs that reply alike. */
export function three(pd: Pd): Record<string, Pd> {
  return { pd0: pd, pd1: pd, pd2: pd };
}
