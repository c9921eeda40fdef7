import type { HttpAnswer, Node, Toolkit } from '../../src/kind/adapter.ts';
import { classify, message, type PdAnswer } from './answer.ts';
import { record } from './json.ts';
import { type Membership, parseMemberHealth, parseMembership, parseQuorum } from './members.ts';
import { parseCount, parseMaxReplicas, parseRegionStats, type RegionStats } from './regions.ts';
import { parseStores, type Store } from './stores.ts';

export const pdPort = 2379;
const api = '/pd/api/v1';
const timeoutMs = 2000;

/** PD's memory of the last region heartbeats, by the check's name in the path. */
export const regionChecks = ['miss-peer', 'pending-peer', 'down-peer'] as const;
export type RegionCheck = (typeof regionChecks)[number];

/** Everything one PD said when it was asked, each topic by itself. */
export interface PdView {
  readonly node: Node;
  /** `ok` only for 200 on /ping: what PD itself takes for a live member. An open port proves nothing. */
  readonly ping: PdAnswer<true>;
  /** True: its etcd has a leader. A text: why it has none. */
  readonly quorum: PdAnswer<true | string>;
  readonly members: PdAnswer<Membership>;
  readonly health: PdAnswer<ReadonlyMap<string, boolean>>;
  readonly stores: PdAnswer<readonly Store[]>;
  readonly regions: PdAnswer<RegionStats>;
  readonly maxReplicas: PdAnswer<number>;
  /** Empty unless they were asked for. */
  readonly checks: Readonly<Partial<Record<RegionCheck, PdAnswer<number>>>>;
}

/**
 * Asks every PD everything at once, two seconds a request, and never throws for a PD that does not answer (only the signal's reason).
 * All of them are asked because a frozen leader hangs its followers, and a dead one leaves them believing in it.
 */
export async function observe(toolkit: Toolkit, options: { checks: boolean }, signal: AbortSignal): Promise<PdView[]> {
  const checks = options.checks ? regionChecks : [];
  return await Promise.all(toolkit.nodes.filter((node) => node.type === 'pd').map((node) => observeOne(toolkit, node, checks, signal)));
}

async function observeOne(toolkit: Toolkit, node: Node, checks: readonly RegionCheck[], signal: AbortSignal): Promise<PdView> {
  const get = (path: string) => toolkit.http(node, pdPort, path, { timeoutMs }, signal);
  const asked = await Promise.all([
    get(`${api}/ping`),
    get('/health'),
    get(`${api}/members`),
    get(`${api}/health`),
    get(`${api}/stores`),
    get(`${api}/stats/region`),
    get(`${api}/config/replicate`),
    ...checks.map((check) => get(`${api}/regions/check/${check}`)),
  ]);
  const [ping, quorum, members, health, stores, regions, replicate, ...checked] = asked;
  return {
    node,
    ping: pong(ping),
    quorum: quorumOf(quorum),
    members: classify(members, parseMembership),
    health: classify(health, parseMemberHealth),
    stores: classify(stores, parseStores),
    regions: classify(regions, parseRegionStats),
    maxReplicas: classify(replicate, parseMaxReplicas),
    checks: Object.fromEntries(checks.map((check, i) => [check, classify(checked[i] ?? { reached: false, why: 'not asked' }, parseCount)])),
  };
}

function pong(answer: HttpAnswer): PdAnswer<true> {
  if (!answer.reached) return { kind: 'unreachable', why: answer.why };
  return answer.status === 200 ? { kind: 'ok', body: true } : { kind: 'error', why: `status ${answer.status}: ${message(answer.text)}` };
}

/** 503 carries the same JSON as 200, and the reason in it. */
function quorumOf(answer: HttpAnswer): PdAnswer<true | string> {
  const told = answer.reached && answer.status === 503 ? { ...answer, status: 200 } : answer;
  return classify(told, (body) => (record(body) === null ? null : parseQuorum(body)));
}
