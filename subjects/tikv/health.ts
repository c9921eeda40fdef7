import type { Node, SystemHealth } from '../../src/kind/adapter.ts';
import { best, leaderOf, rank } from './rank.ts';
import { replication } from './regions.ts';
import type { Store } from './stores.ts';
import { ageMs } from './time.ts';
import { heardSinceStart, judgeMember, judgeStore, nodeOf, unexpected } from './verdict.ts';
import { type PdView, pdPort } from './view.ts';

/** As many stores as the contract wants `Up`. */
const storesNeeded = 3;
const tikvPort = 20160;

/**
 * The rule: every node runs; a PD with a quorum names a running leader; PD finds every expected member alive; and at least three stores are up,
 * each expected one among them and heard from since its container's start. Replication of the regions is told in `details` and does not decide.
 */
export function judge(nodes: readonly Node[], views: readonly PdView[], nowMs: number): SystemHealth {
  const ranked = rank(views, nodes);
  const stores = best(ranked, (view) => view.stores);
  const judged = nodes.map((node) => ({ node, ...(node.type === 'pd' ? judgeMember(node, ranked) : judgeStore(node, stores, nowMs)) }));
  const up = judged.filter(({ node, health }) => node.type === 'tikv' && health === 'up').length;
  const issues = [
    ...leaderIssues(ranked, nodes),
    ...('body' in stores ? [] : [`stores cannot be read: ${stores.why}`]),
    ...judged.flatMap(({ issue }) => issue ?? []),
    ...(up < storesNeeded ? [`${up} of at least ${storesNeeded} stores are up`] : []),
  ];
  return {
    healthy: issues.length === 0,
    nodes: judged.map(({ node, health }) => ({
      name: node.name,
      health,
      address: `${node.name}:${node.type === 'pd' ? pdPort : tikvPort}`,
    })),
    issues,
    details: details(nodes, ranked, 'body' in stores ? stores.body : null, nowMs),
  };
}

function leaderIssues(ranked: readonly PdView[], nodes: readonly Node[]): string[] {
  const first = ranked[0];
  if (first === undefined) return ['there is no PD to ask'];
  const leader = leaderOf(first, nodes);
  if (leader === null) {
    const members = best(ranked, (view) => view.members);
    if (!('body' in members)) return [`PD has no leader: ${members.why}`];
    const named = members.body.leader;
    return [`PD has no leader: ${members.from.node.name} names ${named === null ? 'none' : `${named}, which does not run`}`];
  }
  const seconded = ranked.some((view) => leaderOf(view, nodes) === leader && view.quorum.kind === 'ok' && view.quorum.body === true);
  return seconded ? [] : [`no PD that follows ${leader} confirms a quorum (${first.node.name}: ${quorumText(first)})`];
}

function details(
  nodes: readonly Node[],
  ranked: readonly PdView[],
  stores: readonly Store[] | null,
  nowMs: number,
): Record<string, unknown> {
  const first = ranked[0];
  const regions = best(ranked, (view) => view.regions);
  const replicas = best(ranked, (view) => view.maxReplicas);
  const inOrder = [...ranked].sort((a, b) => nodes.indexOf(a.node) - nodes.indexOf(b.node));
  return {
    pd_leader: first === undefined ? null : leaderOf(first, nodes),
    pd_asked: inOrder.map((view) => ({
      node: view.node.name,
      leader: view.members.kind === 'ok' ? view.members.body.leader : null,
      problem: view.members.kind === 'ok' ? null : view.members.kind,
      quorum: quorumText(view),
    })),
    stores: stores?.map((store) => facts(store, nodeOf(store, stores, nodes), nowMs)) ?? null,
    unexpected_stores: unexpected(nodes, stores ?? []).map(({ id, address, stateName }) => ({ id, address, state_name: stateName })),
    regions: 'body' in regions ? replication(regions.body, 'body' in replicas ? replicas.body : null) : null,
  };
}

function facts(store: Store, node: Node | null, nowMs: number): Record<string, unknown> {
  return {
    id: store.id,
    node: node?.name ?? null,
    state_name: store.stateName,
    heartbeat_age_ms: store.heartbeat === null ? null : ageMs(store.heartbeat.ns, nowMs),
    heard_since_start: node === null ? null : heardSinceStart(store, node),
  };
}

function quorumText(view: PdView): string {
  if (view.quorum.kind !== 'ok') return view.quorum.why;
  return view.quorum.body === true ? 'true' : view.quorum.body;
}
