import type { Adapter, DefaultTarget, Role } from '../kind/adapter.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosType, Layer } from './chaos_type.ts';
import type { Fault, FaultTarget, Selection } from './fault.ts';
import type { SceneNode } from './scene.ts';
import { draw, shareCount, type TargetRequest } from './select.ts';

/** Who was chosen, why, and the system's replies that prove a role. */
export interface Choice {
  targets: FaultTarget[];
  selection: Selection;
}

/** Live faults by node, with what they take of it. */
export type Busy = ReadonlyMap<string, readonly { fault: Fault; layer: Layer }[]>;

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
 * Whom a fault hits when the request names no one: the chaos type's own default, else the kind's; and where none of those can ever be hit (no volume of
 * limited size, no memory limit), the type of the first node that can.
 */
export function defaultTarget(type: ChaosType, adapter: Adapter, nodes: readonly SceneNode[]): DefaultTarget {
  const wanted = type.defaultTarget ?? adapter.defaultTarget;
  if (type.defaultTarget !== null || !('type' in wanted)) return wanted;
  const able = (n: SceneNode) => n.running && type.obstacle(n) === null;
  if (nodes.some((n) => n.type === wanted.type && able(n))) return wanted;
  const other = nodes.find(able);
  return other === undefined ? wanted : { type: other.type };
}

/**
 * Chooses the targets among the nodes that can be hit now. A node that already has a fault of the same layer cannot; one that was asked for by name is a `fault_conflict` then. `roles` is asked only for a role
 * target.
 */
export async function chooseTargets(
  options: {
    type: ChaosType;
    request: TargetRequest;
    named: readonly string[] | null;
    nodes: readonly SceneNode[];
    seed: number;
    busy: Busy;
  },
  roles: () => Promise<Role[]>,
): Promise<Choice> {
  const { type, nodes, seed, request, named } = options;
  const holders = request.role === undefined || named !== null ? null : (await roles()).filter((r) => r.role === request.role);
  const matching = nodes.filter((n) => {
    if (named !== null) return named.includes(n.name);
    if (holders !== null) return holders.some((r) => r.node === n.name);
    return request.node !== undefined ? n.name === request.node : n.type === request.type;
  });
  const seen = matching.map((node) => ({ node, obstacle: type.obstacle(node), other: conflicting(type, node, options.busy) }));
  const able = seen.filter((s) => s.obstacle === null);
  const candidates = able.filter((s) => s.other === null).map((s) => s.node.name);
  const count = countOf(request, named, matching.length);
  if (candidates.length < Math.max(1, count)) refuse(type, request, seen, count);
  if (named !== null) {
    return {
      targets: named.map((name) => targetOf(nodes, name)),
      selection: { candidates: [...named], algorithm: 'sha256-v1', draws: [] },
    };
  }
  const { chosen, selection } = draw(seed, candidates, count);
  const proof = holders?.filter((r) => chosen.includes(r.node)).map((r) => ({ node: r.node, role: r.role, proof: r.proof }));
  return {
    targets: chosen.map((name) => targetOf(nodes, name)),
    selection: { ...selection, ...(proof === undefined ? {} : { proof }) },
  };
}

function countOf(request: TargetRequest, named: readonly string[] | null, matching: number): number {
  if (named !== null) return named.length;
  const count = request.count ?? (request.share === undefined ? 1 : shareCount(request.share, matching));
  if (count === 0 && matching > 0) throw new Problem('no_candidate', `${request.share} of ${matching} is nobody.`, { target: request });
  return count;
}

/** The live fault that keeps a chaos type off a node, if there is one. What is done to a shared network namespace is done to all that share it. */
export function conflicting(type: ChaosType, node: SceneNode, busy: Busy): Fault | null {
  if (type.layer === 'none') return null;
  const network = type.layer === 'delay' || type.layer === 'loss' || type.layer === 'rate' || type.layer === 'partition';
  const places = [node.name, ...(network ? node.sharesNetworkWith : [])];
  return places.flatMap((name) => busy.get(name) ?? []).find((b) => b.layer === type.layer)?.fault ?? null;
}

interface Seen {
  node: SceneNode;
  obstacle: string | null;
  other: Fault | null;
}

function refuse(type: ChaosType, request: TargetRequest, seen: readonly Seen[], wanted: number): never {
  const inTheWay = seen.find((s) => s.other !== null && (s.obstacle === null || request.node !== undefined));
  if (inTheWay?.other) {
    const { id, chaos_type } = inTheWay.other;
    throw new Problem(
      'fault_conflict',
      `${inTheWay.node.name} already has ${chaos_type} ${id}, which ${type.name} cannot be combined with.`,
      {
        fault: id,
        chaos_type,
        node: inTheWay.node.name,
      },
    );
  }
  const able = seen.filter((s) => s.obstacle === null).length;
  const who = able === 0 ? 'No running candidate' : `${able} of ${wanted} candidates that were asked for`;
  throw new Problem('no_candidate', `${who} for ${type.name}: ${describe(request)}${whyNot(seen)}.`, {
    target: request,
    nodes: seen.map((s) => ({ name: s.node.name, running: s.node.running, obstacle: s.obstacle, fault: s.other?.id ?? null })),
  });
}

function describe(request: TargetRequest): string {
  if (request.role !== undefined) return `role ${request.role}`;
  return request.node !== undefined ? `node ${request.node}` : `type ${request.type}`;
}

function whyNot(seen: readonly Seen[]): string {
  const reasons = [...new Set(seen.map((s) => s.obstacle).filter((o) => o !== null))];
  return reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
}

function targetOf(nodes: readonly SceneNode[], name: string): FaultTarget {
  const node = nodes.find((n) => n.name === name);
  return { node: name, container: node?.container ?? '', container_id: node?.containerId ?? '' };
}
