import type { Node } from '../../src/kind/adapter.ts';
import type { Member, Reply, Status } from './replies.ts';

/** A node of the subject and what the member at its address says of itself. */
export interface View {
  node: Node;
  status: Reply<Status>;
}

/**
 * The leader that counts: the member that calls itself leader at the highest term any member has reached. A deposed leader that has not
 * heard of its successor still calls itself leader, at a lower term.
 */
export function leaderOf<T extends View>(views: T[]): (T & { status: { ok: true; value: Status } }) | null {
  const term = highestTerm(views);
  const leaders = answered(views).filter(({ status }) => status.value.leaderId === status.value.memberId && status.value.term === term);
  return leaders.length === 1 ? (leaders[0] ?? null) : null;
}

/** Null when no member answers. */
export function highestTerm(views: View[]): number | null {
  const terms = answered(views).map(({ status }) => status.value.term);
  return terms.length === 0 ? null : Math.max(...terms);
}

/** The views whose member answered. */
export function answered<T extends View>(views: T[]): (T & { status: { ok: true; value: Status } })[] {
  return views.filter((view): view is T & { status: { ok: true; value: Status } } => view.status.ok);
}

/** The alarms that any member knows of, each once. They are part of the replicated state, so one living member is enough. */
export function alarmsIn(views: View[], members: Member[]): { member_id: string; member: string | null; alarm: string }[] {
  const alarms = new Map<string, { member_id: string; member: string | null; alarm: string }>();
  for (const { status } of answered(views)) {
    for (const { memberId, alarm } of status.value.alarms) {
      const member = members.find(({ id }) => id === memberId)?.name ?? null;
      alarms.set(`${memberId} ${alarm}`, { member_id: memberId, member, alarm });
    }
  }
  return [...alarms.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, alarm]) => alarm);
}

/** The member list of the most advanced member that gave one: the leader's, or else the one with the highest term. */
export function memberList(views: (View & { members: Reply<Member[]> })[]): Member[] | null {
  const leader = leaderOf(views);
  const rank = ({ node, status }: View) => (node === leader?.node ? Number.MAX_SAFE_INTEGER : status.ok ? status.value.term : -1);
  const best = [...views].sort((a, b) => rank(b) - rank(a)).find(({ members }) => members.ok);
  return best?.members.ok ? best.members.value : null;
}
