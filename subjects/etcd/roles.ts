import type { Role } from '../../src/kind/adapter.ts';
import { answered, highestTerm, leaderOf, type View } from './view.ts';

export const roleNames = ['leader', 'follower', 'learner'] as const;

/** Who has which role. A member that knows of no leader, or lags behind the highest term, has none: it votes for nobody that counts. */
export function rolesIn(views: View[]): Role[] {
  const leader = leaderOf(views);
  const term = highestTerm(views);
  return answered(views).flatMap(({ node, status: { value } }) => {
    const role = node === leader?.node ? 'leader' : value.learner ? 'learner' : 'follower';
    if (role !== 'leader' && (value.leaderId === null || value.leaderId === value.memberId || value.term !== term)) return [];
    return [{ node: node.name, role, proof: { member_id: value.memberId, leader: value.leaderId, raft_term: value.term } }];
  });
}
