import type { HttpAnswer, Node, Toolkit } from '../../src/kind/adapter.ts';
import type { RegisteredNode } from './service/replies.ts';

export const limiterPort = 8080;
/** A process may count its start a little before the engine does. */
const startToleranceMs = 1000;

export type Parsed<T> = { ok: true; value: T } | { ok: false; why: string };

/** What a limiter says of itself at /health. */
export interface LimiterReply {
  node: string;
  instance: string;
  started_at: string;
}

export async function get(toolkit: Toolkit, node: Node, path: string, signal: AbortSignal): Promise<Parsed<Record<string, unknown>>> {
  return parseObject(path, await toolkit.http(node, limiterPort, path, {}, signal));
}

/** The body of a 200 as an object, or why there is none. */
export function parseObject(path: string, answer: HttpAnswer): Parsed<Record<string, unknown>> {
  if (!answer.reached) return { ok: false, why: answer.why };
  const body = parseJson(answer.text);
  if (answer.status !== 200) {
    const detail = typeof body?.detail === 'string' ? `: ${body.detail}` : '';
    return { ok: false, why: `${path} answers ${answer.status}${detail}` };
  }
  return body === null ? { ok: false, why: `${path} answers no JSON object` } : { ok: true, value: body };
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Accepts a /health reply only from this start of this node: anything else comes from another process. */
export function ofThisStart(node: Pick<Node, 'name' | 'startedAt'>, body: Record<string, unknown>): Parsed<LimiterReply> {
  const { node: id, instance, started_at } = body;
  if (typeof id !== 'string' || typeof instance !== 'string' || typeof started_at !== 'string') {
    return { ok: false, why: '/health lacks node, instance or started_at' };
  }
  if (id !== node.name) return { ok: false, why: `/health is answered by ${id}` };
  const started = Date.parse(started_at);
  if (node.startedAt === null || !(started >= node.startedAt - startToleranceMs)) {
    return { ok: false, why: `/health is of an earlier start (${started_at})` };
  }
  return { ok: true, value: { node: id, instance, started_at } };
}

/** Entries of an /api/nodes reply; an entry without id and instance is left out. */
export function registeredNodes(body: Record<string, unknown>): RegisteredNode[] {
  const nodes = Array.isArray(body.nodes) ? body.nodes : [];
  return nodes.filter((n): n is RegisteredNode => typeof n?.id === 'string' && typeof n?.instance === 'string');
}

/** True when the list has the very process that answered. */
export function isRegistered(reply: LimiterReply, list: readonly RegisteredNode[]): boolean {
  return list.some((n) => n.id === reply.node && n.instance === reply.instance);
}

/** The first usable answer of any of them, else all the reasons. Does not wait for the slow ones once there is one. Throws what an answer throws. */
export async function firstOf<T>(answers: readonly Promise<Parsed<T>>[]): Promise<Parsed<T>> {
  const good = answers.map(async (answer) => {
    const parsed = await answer;
    if (!parsed.ok) throw new Unusable(parsed.why);
    return parsed;
  });
  try {
    return await Promise.any(good);
  } catch (error) {
    const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
    const thrown = errors.find((e) => !(e instanceof Unusable));
    if (thrown !== undefined) throw thrown;
    const reasons = new Set(errors.map((e) => (e as Unusable).message));
    return { ok: false, why: reasons.size > 0 ? [...reasons].join('; ') : 'there is no limiter' };
  }
}

class Unusable extends Error {}
