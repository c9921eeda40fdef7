import type { Node } from '../../src/kind/adapter.ts';
import type { PdAnswer, PdFailure } from './answer.ts';
import { newestHeartbeat } from './stores.ts';
import type { PdView } from './view.ts';

/**
 * The views, the most believable first. A PD that names a leader beats one that names none or names a node that does not run;
 * then one whose own etcd has a quorum; then the leader that most PDs name (a leader that was frozen may still name itself);
 * then the leader's own word; then the newest store heartbeat; then the order of the nodes.
 */
export function rank(views: readonly PdView[], nodes: readonly Node[]): PdView[] {
  const votes = new Map<string, number>();
  for (const view of views) {
    const leader = leaderOf(view, nodes);
    if (leader !== null) votes.set(leader, (votes.get(leader) ?? 0) + 1);
  }
  const scores = new Map(views.map((view) => [view, score(view, nodes, votes)]));
  return [...views].sort((a, b) => compare(scores.get(b) ?? [], scores.get(a) ?? []));
}

/** The leader that this PD's membership names; null when it names none, or a node of ours that does not run. */
export function leaderOf(view: PdView, nodes: readonly Node[]): string | null {
  const leader = view.members.kind === 'ok' ? view.members.body.leader : null;
  const node = nodes.find(({ name, type }) => type === 'pd' && name === leader);
  return node?.running === false ? null : leader;
}

/**
 * The first view that answers the topic, or why none does: the reason that says most, with each PD's own word.
 * `views` must come from `rank`.
 */
export function best<T>(views: readonly PdView[], topic: (view: PdView) => PdAnswer<T> | undefined): { from: PdView; body: T } | PdFailure {
  const failures: { node: string; failure: PdFailure }[] = [];
  for (const view of views) {
    const answer = topic(view);
    if (answer?.kind === 'ok') return { from: view, body: answer.body };
    if (answer !== undefined) failures.push({ node: view.node.name, failure: answer });
  }
  const kind = telling.find((candidate) => failures.some(({ failure }) => failure.kind === candidate)) ?? 'unreachable';
  failures.sort((a, b) => (a.node < b.node ? -1 : 1));
  return { kind, why: failures.map(({ node, failure }) => `${node}: ${failure.why}`).join('; ') || 'there is no PD to ask' };
}

const telling = ['not_bootstrapped', 'no_leader', 'error', 'malformed', 'unreachable'] as const;

function score(view: PdView, nodes: readonly Node[], votes: ReadonlyMap<string, number>): bigint[] {
  const leader = leaderOf(view, nodes);
  return [
    leader === null ? 0n : 1n,
    view.quorum.kind === 'ok' && view.quorum.body === true ? 1n : 0n,
    BigInt(leader === null ? 0 : (votes.get(leader) ?? 0)),
    leader === view.node.name ? 1n : 0n,
    view.stores.kind === 'ok' ? newestHeartbeat(view.stores.body) : -1n,
  ];
}

function compare(a: readonly bigint[], b: readonly bigint[]): number {
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0n;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
