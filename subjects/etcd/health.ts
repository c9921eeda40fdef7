import type { NodeHealth, SystemHealth } from '../../src/kind/adapter.ts';
import type { Member, Quorum, Reply } from './replies.ts';
import { clientPort } from './requests.ts';
import { alarmsIn, answered, highestTerm, leaderOf, memberList, type View } from './view.ts';

export interface HealthView extends View {
  members: Reply<Member[]>;
  quorum: Reply<Quorum>;
}

/**
 * Healthy: every member answers, is the member its node stands for, has a vote, and serves linearizable reads; all name the same leader at the
 * same term, the leader itself included; the member list is exactly the nodes; one cluster id; no alarm.
 *
 * A reply proves this start of its container: it came over the network after the node was seen running, and a leader that has restarted
 * forgets that it leads, so followers that still believe in it do not agree with it.
 */
export function judge(views: HealthView[]): SystemHealth {
  const members = memberList(views);
  const nodes = views.map((view) => nodeHealth(view, members));
  const issues = [
    ...nodes.flatMap(({ issue }) => (issue ? [issue] : [])),
    ...views.flatMap(quorumIssue),
    ...clusterIssues(views, members),
    ...alarmsIn(views, members ?? []).map(({ alarm, member, member_id }) => `alarm ${alarm} on ${member ?? member_id}`),
  ];
  return {
    healthy: issues.length === 0,
    nodes: nodes.map(({ name, health }) => ({ name, health, address: `${name}:${clientPort}` })),
    issues,
    details: {
      cluster_id: answered(views)[0]?.status.value.clusterId ?? null,
      leader: leaderOf(views)?.node.name ?? null,
      term: highestTerm(views),
      members: Object.fromEntries(
        answered(views).map(({ node, status: { value } }) => [
          node.name,
          { member_id: value.memberId, leader: value.leaderId, raft_term: value.term, raft_index: value.raftIndex, version: value.version },
        ]),
      ),
    },
  };
}

function nodeHealth({ node, status }: HealthView, members: Member[] | null): { name: string; health: NodeHealth; issue: string | null } {
  const finding = (health: NodeHealth, what: string) => ({ name: node.name, health, issue: `${node.name} ${what}` });
  const own = members?.find(({ name }) => name === node.name);
  if (members && !own) return finding('offline', 'is not in the member list');
  if (!node.running) return finding('down', 'is not running');
  if (!status.ok) return finding(status.answered ? 'unknown' : 'down', `does not answer as a member should: ${status.why}`);
  const { memberId, leaderId } = status.value;
  if (own && own.id !== memberId) return finding('unknown', `has another member at its address: ${memberId} instead of ${own.id}`);
  if (leaderId === null) return finding('down', 'knows of no leader');
  if (status.value.learner) return finding('up', 'is a learner: it has no vote');
  return { name: node.name, health: 'up', issue: null };
}

function quorumIssue({ node, status, quorum }: HealthView): string[] {
  if (!node.running || !status.ok) return [];
  if (!quorum.ok) return [`${node.name} gave no linearizable read: ${quorum.why}`];
  return quorum.value.healthy ? [] : [`${node.name} says that it is unhealthy: ${quorum.value.reason}`];
}

function clusterIssues(views: HealthView[], members: Member[] | null): string[] {
  const statuses = answered(views);
  const issues: string[] = [];
  if (new Set(statuses.map(({ status }) => status.value.clusterId)).size > 1) {
    issues.push(
      `the members belong to different clusters: ${statuses.map(({ node, status }) => `${node.name} to ${status.value.clusterId}`).join(', ')}`,
    );
  }
  const leader = leaderOf(views);
  const opinions = new Set(statuses.map(({ status }) => `${status.value.leaderId} ${status.value.term}`));
  if (statuses.length > 0 && (!leader || opinions.size > 1)) {
    const said = statuses.map(({ node, status }) => `${node.name} says ${status.value.leaderId ?? 'none'} at term ${status.value.term}`);
    issues.push(`no leader is agreed on: ${said.join(', ')}`);
  }
  if (!members) issues.push('no member gives the member list');
  const strangers = (members ?? []).filter(({ name }) => !views.some(({ node }) => node.name === name));
  for (const { name, id } of strangers) issues.push(`the cluster has a member that is no node: ${name || id}`);
  return issues;
}
