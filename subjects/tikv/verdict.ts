import type { Node, NodeHealth } from '../../src/kind/adapter.ts';
import type { PdFailure } from './answer.ts';
import { newestHeartbeat, type Store } from './stores.ts';
import { ageMs, seconds } from './time.ts';
import type { PdView } from './view.ts';

/** One node's health and, unless it is fine, a sentence about it. */
export interface Verdict {
  readonly health: NodeHealth;
  readonly issue: string | null;
}

/** What PD's leader said about the stores, or why nothing could be learnt. */
export type StoresAnswer = { readonly body: readonly Store[] } | PdFailure;

/** The store that a node advertises; of several (a node that came back with empty data) the one heard from last. Null: none. */
export function storeOf(node: Node, stores: readonly Store[]): Store | null {
  const own = stores.filter(({ host }) => host === node.name || (node.address !== null && host === node.address));
  return own.sort((a, b) => (newestHeartbeat([a]) < newestHeartbeat([b]) ? 1 : -1))[0] ?? null;
}

/** The node that a store belongs to, `stores` being all of them; null for a store that nobody expects. */
export function nodeOf(store: Store, stores: readonly Store[], nodes: readonly Node[]): Node | null {
  return nodes.find((node) => node.type === 'tikv' && storeOf(node, stores) === store) ?? null;
}

/** Stores that no node of the subject advertises, and those whose node came back as another store. */
export function unexpected(nodes: readonly Node[], stores: readonly Store[]): Store[] {
  return stores.filter((store) => nodeOf(store, stores, nodes) === null);
}

/** PD got a heartbeat from the store after the node's container started: what PD says of it is about this start and not about the one before. */
export function heardSinceStart(store: Store, node: Node): boolean {
  return store.heartbeat !== null && node.startedAt !== null && store.heartbeat.ns > BigInt(Math.trunc(node.startedAt)) * 1_000_000n;
}

/** The clock was set back since the heartbeat: then it may be older than the container's start after all. */
function fromTheFuture(store: Store, nowMs: number): boolean {
  return store.heartbeat !== null && ageMs(store.heartbeat.ns, nowMs) < -5000;
}

/**
 * A TiKV node's health. Up needs all three: a running container, PD's `Up`, and a heartbeat since the container's start. PD calls a dead store
 * `Up` for up to 20 s; a store that is `Up` but silent since its start is `unknown`: that word is about the process before, and nothing proves
 * the new one up or down. Without a container that runs it is `down`, whatever PD says; without an answer from PD it is `unknown`.
 */
export function judgeStore(node: Node, answer: StoresAnswer, nowMs: number): Verdict {
  const store = 'body' in answer ? storeOf(node, answer.body) : null;
  if (!node.running) {
    return {
      health: 'down',
      issue: `${node.name}: its container is stopped or paused${store?.stateName === 'Up' ? ' (PD still says Up)' : ''}`,
    };
  }
  if (!('body' in answer)) {
    const why = answer.kind === 'not_bootstrapped' ? 'no store has registered yet, the cluster is not bootstrapped' : 'PD cannot tell';
    return { health: 'unknown', issue: `${node.name}: ${why}` };
  }
  if (store === null) return { health: 'unknown', issue: `${node.name}: has not registered with PD` };
  const heard = store.heartbeat === null ? 'never heard from' : `last heard from ${seconds(ageMs(store.heartbeat.ns, nowMs))} ago`;
  switch (store.stateName) {
    case 'Up':
      return heardSinceStart(store, node) && !fromTheFuture(store, nowMs)
        ? { health: 'up', issue: null }
        : { health: 'unknown', issue: `${node.name}: PD says Up, but has not heard from it since its container started` };
    case 'Disconnected':
    case 'Down':
      return { health: 'down', issue: `${node.name}: PD says ${store.stateName}, ${heard}` };
    case 'Offline':
    case 'Tombstone':
      return { health: 'offline', issue: `${node.name}: PD says ${store.stateName}` };
    default:
      return { health: 'unknown', issue: `${node.name}: PD says ${store.stateName}, a state that is not known here` };
  }
}

/**
 * A PD node's health: what the most believable PD found when it pinged its members. Where none could tell (one frozen member makes that list take
 * three seconds), the node's own answer to the same ping decides; silence counts as `down` only while another PD does answer.
 */
export function judgeMember(node: Node, ranked: readonly PdView[]): Verdict {
  if (!node.running) return { health: 'down', issue: `${node.name}: its container is stopped or paused` };
  for (const { node: asked, health } of ranked) {
    if (health.kind !== 'ok') continue;
    const healthy = health.body.get(node.name);
    if (healthy === true) return { health: 'up', issue: null };
    if (healthy === false) return { health: 'down', issue: `${node.name}: ${asked.name} finds that it does not answer` };
    return { health: 'unknown', issue: `${node.name}: is not among the members that ${asked.name} knows` };
  }
  const own = ranked.find((view) => view.node.name === node.name)?.ping;
  if (own === undefined || own.kind === 'ok')
    return { health: 'up', issue: `${node.name}: answers, but no PD could list its members' health` };
  const others = ranked.some(({ ping }) => ping.kind === 'ok');
  return { health: others ? 'down' : 'unknown', issue: `${node.name}: does not answer (${own.why})` };
}
