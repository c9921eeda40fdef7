import type { Node, Role } from '../../src/kind/adapter.ts';
import { best, leaderOf, rank } from './rank.ts';
import { storeOf } from './verdict.ts';
import type { PdView } from './view.ts';

export const roleNames = ['pd_leader', 'pd_follower', 'region_leader'] as const;

/**
 * Who has which role, with the reply that says so and the PD that gave it: PD's leader; its followers that answered a request themselves;
 * and `region_leader`, the running stores that lead a region (killing one makes its regions elect). No role without a PD leader that runs.
 */
export function rolesOf(nodes: readonly Node[], views: readonly PdView[]): Role[] {
  const ranked = rank(views, nodes);
  const first = ranked[0];
  const leader = first === undefined ? null : leaderOf(first, nodes);
  if (first === undefined || leader === null || first.members.kind !== 'ok') return [];
  const { members } = first.members.body;
  const asked = { asked: first.node.name, path: '/pd/api/v1/members', leader };
  const pds = nodes.flatMap((node): Role[] => {
    const member = members.find(({ name }) => name === node.name);
    if (node.type !== 'pd' || member === undefined || !node.running) return [];
    const proof = { ...asked, member_id: member.memberId };
    if (node.name === leader) return [{ node: node.name, role: 'pd_leader', proof }];
    const alive = views.some((view) => view.node.name === node.name && view.ping.kind === 'ok');
    return alive ? [{ node: node.name, role: 'pd_follower', proof }] : [];
  });
  return [...pds, ...regionLeaders(nodes, ranked)];
}

function regionLeaders(nodes: readonly Node[], ranked: readonly PdView[]): Role[] {
  const stores = best(ranked, (view) => view.stores);
  if (!('body' in stores)) return [];
  return nodes.flatMap((node): Role[] => {
    const store = node.type === 'tikv' && node.running ? storeOf(node, stores.body) : null;
    if (store === null || store.leaderCount === 0) return [];
    const proof = { asked: stores.from.node.name, path: '/pd/api/v1/stores', id: store.id, leader_count: store.leaderCount };
    return [{ node: node.name, role: 'region_leader', proof }];
  });
}
