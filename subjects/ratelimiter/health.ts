import type { Node, NodeHealth, SystemHealth, Toolkit } from '../../src/kind/adapter.ts';
import { firstOf, get, isRegistered, type LimiterReply, limiterPort, ofThisStart, type Parsed, registeredNodes } from './limiter.ts';
import { type Answer, ping, redisPort } from './redis.ts';
import type { RegisteredNode } from './service/replies.ts';

/** What was heard, all nodes asked at once. */
export interface Findings {
  redis: Map<string, Answer<'+PONG'>>;
  limiters: Map<string, Parsed<LimiterReply>>;
  registered: Parsed<RegisteredNode[]>;
}

export const limitersOf = (toolkit: Toolkit): readonly Node[] => toolkit.nodes.filter((node) => node.type === 'limiter');
export const redisOf = (toolkit: Toolkit): Node | undefined => toolkit.nodes.find((node) => node.type === 'redis');

/** Asks Redis for a PONG, each limiter for its health and any of them for the list of registered nodes. */
export async function look(toolkit: Toolkit, signal: AbortSignal): Promise<Findings> {
  const redisNodes = toolkit.nodes.filter((node) => node.type === 'redis');
  const [redis, limiters, registered] = await Promise.all([
    Promise.all(redisNodes.map(async (node) => [node.name, await ping(toolkit, node, signal)] as const)),
    Promise.all(limitersOf(toolkit).map(async (node) => [node.name, await askLimiter(toolkit, node, signal)] as const)),
    firstOf(limitersOf(toolkit).map((node) => listNodes(toolkit, node, signal))),
  ]);
  return { redis: new Map(redis), limiters: new Map(limiters), registered };
}

async function askLimiter(toolkit: Toolkit, node: Node, signal: AbortSignal): Promise<Parsed<LimiterReply>> {
  const answer = await get(toolkit, node, '/health', signal);
  return answer.ok ? ofThisStart(node, answer.value) : answer;
}

async function listNodes(toolkit: Toolkit, node: Node, signal: AbortSignal): Promise<Parsed<RegisteredNode[]>> {
  const answer = await get(toolkit, node, '/api/nodes', signal);
  return answer.ok ? { ok: true, value: registeredNodes(answer.value) } : answer;
}

/** The verdict on what was heard. Pure. */
export function judge(nodes: readonly Node[], findings: Findings): SystemHealth {
  const verdicts = nodes.map((node) => ({ node, ...judgeNode(node, findings) }));
  const issues = verdicts.flatMap(({ node, why }) => (why === null ? [] : [`${node.name}: ${why}`]));
  return {
    healthy: issues.length === 0 && nodes.length > 0,
    nodes: verdicts.map(({ node, health }) => ({
      name: node.name,
      health,
      address: `${node.name}:${node.type === 'redis' ? redisPort : limiterPort}`,
    })),
    issues,
    details: {
      redis: Object.fromEntries([...findings.redis].map(([name, a]) => [name, a.ok ? a.value : a.why])),
      limiters: Object.fromEntries([...findings.limiters].map(([name, a]) => [name, a.ok ? a.value : a.why])),
      registered: findings.registered.ok ? findings.registered.value.map((n) => n.id) : null,
    },
  };
}

function judgeNode(node: Node, { redis, limiters, registered }: Findings): { health: NodeHealth; why: string | null } {
  if (!node.running) return { health: 'down', why: 'not running' };
  const ponged = redis.get(node.name);
  if (ponged) return ponged.ok ? { health: 'up', why: null } : { health: 'down', why: `Redis: ${ponged.why}` };
  const reply = limiters.get(node.name);
  if (reply === undefined) return { health: 'unknown', why: 'not asked' };
  if (!reply.ok) return { health: 'down', why: reply.why };
  if (!registered.ok) return { health: 'unknown', why: `the list of registered nodes cannot be read (${registered.why})` };
  if (!isRegistered(reply.value, registered.value)) return { health: 'unknown', why: 'answers, but is not registered since this start' };
  return { health: 'up', why: null };
}
