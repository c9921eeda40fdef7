import type { SystemState } from '../../src/kind/adapter.ts';
import type { Count, Member, Reply, Status } from './replies.ts';
import { alarmsIn, answered, highestTerm, leaderOf, memberList, type View } from './view.ts';

export interface StateView extends View {
  members: Reply<Member[]>;
  /** Counted by the member alone, from its own data. */
  localCount: Reply<Count>;
  /** Counted with the consent of a majority; null: not asked, as the member knows of no leader. */
  count: Reply<Count> | null;
}

/**
 * The cluster in etcd's own terms. What a majority must agree on (`revision`, `key_count`) is null and missing without one; what each
 * member holds stands under `members[].status`, so that a lone survivor's data can still be compared.
 */
export function describe(views: StateView[]): SystemState {
  const members = memberList(views);
  const leader = leaderOf(views);
  const counts = views.flatMap(({ count }) => (count?.ok ? [count.value] : [])).sort((a, b) => b.revision - a.revision);
  const described = (members ?? []).map((member) => ({ member, view: views.find((view) => isAt(view, member)) })).sort(byName);
  const sizes = described.map(({ view }) => (view?.status.ok ? view.status.value.dbSizeBytes : null));
  const state = {
    cluster_id: (leader ?? answered(views)[0])?.status.value.clusterId ?? null,
    version: (leader ?? answered(views)[0])?.status.value.version ?? null,
    leader: leader ? { name: leader.node.name, id: leader.status.value.memberId } : null,
    term: highestTerm(views),
    revision: counts[0]?.revision ?? null,
    key_count: counts[0]?.keys ?? null,
    db_size_bytes: members ? sumOrNull(sizes) : null,
    alarms: alarmsIn(views, members ?? []),
    members: described.map(({ member, view }) => ({
      id: member.id,
      name: member.name,
      peer_urls: member.peerUrls,
      client_urls: member.clientUrls,
      is_learner: member.learner,
      status: view?.status.ok ? memberStatus(view.status.value, view.localCount) : null,
    })),
  };
  const missing = [
    ...(members ? [] : ['members']),
    ...described.filter(({ view }) => !view?.status.ok).map(({ member }) => `members.${member.name || member.id}.status`),
    ...described
      .filter(({ view }) => view?.status.ok && !view.localCount.ok)
      .map(({ member }) => `members.${member.name || member.id}.status.key_count`),
    ...(['cluster_id', 'version', 'term', 'revision', 'key_count', 'db_size_bytes'] as const).filter((field) => state[field] === null),
    ...(answered(views).length === 0 ? ['leader', 'alarms'] : []),
  ];
  return { state, missing, readable: answered(views).length > 0 };
}

function memberStatus(status: Status, localCount: Reply<Count>): Record<string, unknown> {
  return {
    leader: status.leaderId,
    raft_term: status.term,
    raft_index: status.raftIndex,
    raft_applied_index: status.raftAppliedIndex,
    revision: status.revision,
    key_count: localCount.ok ? localCount.value.keys : null,
    db_size_bytes: status.dbSizeBytes,
    db_size_in_use_bytes: status.dbSizeInUseBytes,
    version: status.version,
  };
}

// By name and id: after a restart a node's address may have become another member's.
function isAt({ node, status }: StateView, member: Member): boolean {
  return node.name === member.name && (!status.ok || status.value.memberId === member.id);
}

function byName(a: { member: Member }, b: { member: Member }): number {
  const key = ({ member }: { member: Member }) => `${member.name} ${member.id}`;
  return key(a) < key(b) ? -1 : 1;
}

function sumOrNull(sizes: (number | null)[]): number | null {
  return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}
