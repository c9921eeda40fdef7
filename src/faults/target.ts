import type { Adapter, DefaultTarget, Node, Role } from '../kind/adapter.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosType } from './chaos_type.ts';
import type { FaultTarget, Selection } from './fault.ts';
import { draw, shareCount, type TargetRequest } from './select.ts';

/** Who was chosen, why, and the system's replies that prove a role. */
export interface Choice {
  targets: FaultTarget[];
  selection: Selection;
}

/** Throws `unknown_target` when the request names a node, type or role that the subject does not have. */
export function checkTarget(adapter: Adapter, nodeNames: readonly string[], request: TargetRequest): void {
  const types = [...new Set(Object.values(adapter.nodeTypes))];
  const unknown = (what: string, name: string, known: readonly string[]) => {
    throw new Problem('unknown_target', `There is no ${what} ${name}. There are: ${known.join(', ')}.`, { [what]: name, known });
  };
  if (request.node !== undefined && !nodeNames.includes(request.node)) unknown('node', request.node, nodeNames);
  if (request.type !== undefined && !types.includes(request.type)) unknown('type', request.type, types);
  if (request.role !== undefined && !adapter.roleNames.includes(request.role)) unknown('role', request.role, adapter.roleNames);
}

/**
 * Chooses the targets among the nodes that can be hit now; a named node that cannot be hit is `no_candidate`. `roles` is asked only for a role target.
 */
export async function chooseTargets(
  options: { type: ChaosType; request: TargetRequest | DefaultTarget; nodes: readonly Node[]; seed: number; busy: ReadonlySet<string> },
  roles: () => Promise<Role[]>,
): Promise<Choice> {
  const { type, nodes, seed, busy } = options;
  const request: TargetRequest = options.request;
  const holders = request.role === undefined ? null : (await roles()).filter((r) => r.role === request.role);
  const matching = nodes.filter((n) =>
    holders !== null
      ? holders.some((r) => r.node === n.name)
      : request.node !== undefined
        ? n.name === request.node
        : n.type === request.type,
  );
  const candidates = matching.filter((n) => type.eligible(n) && !busy.has(n.name)).map((n) => n.name);
  const what =
    request.role !== undefined ? `role ${request.role}` : request.node !== undefined ? `node ${request.node}` : `type ${request.type}`;
  if (candidates.length === 0) {
    throw new Problem('no_candidate', `No running candidate for ${type.name}: ${what}.`, {
      target: request,
      nodes: matching.map((n) => ({ name: n.name, running: n.running, under_fault: busy.has(n.name) })),
    });
  }
  const count = request.count ?? (request.share === undefined ? 1 : shareCount(request.share, matching.length));
  if (count === 0) throw new Problem('no_candidate', `${request.share} of ${matching.length} is nobody.`, { target: request });
  const { chosen, selection } = draw(seed, candidates, count);
  const targets = chosen.map((name) => {
    const node = nodes.find((n) => n.name === name);
    return { node: name, container: node?.container ?? '', container_id: node?.containerId ?? '' };
  });
  const proof = holders?.filter((r) => chosen.includes(r.node)).map((r) => ({ node: r.node, role: r.role, proof: r.proof }));
  return { targets, selection: { ...selection, ...(proof === undefined ? {} : { proof }) } };
}
