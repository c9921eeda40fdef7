import { bodyProblem } from '../../lib/input_error.ts';
import { Problem } from '../../lib/problem.ts';
import type { Availability, ChaosType, Injected, Params } from '../chaos_type.ts';
import type { Fault, Residue } from '../fault.ts';
import { addressesOf, nodeOf, type Scene } from '../scene.ts';
import type { Step } from '../step.ts';
import { flowsRecovered } from '../witness/flows.ts';
import { auditToolbox, remnants } from './audit.ts';
import { networkObstacle } from './defaults.ts';

/** Schema of the optional list of peers. */
export const peersSchema = {
  type: 'array',
  items: { type: 'string', minLength: 1, maxLength: 128 },
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description: 'Only traffic to these nodes; by default all that leaves the node.',
} as const;

/** What the faults of a node's network have in common. */
export const networkDefaults = {
  defaultTarget: null,
  life: 'volatile',
  needsToolbox: true,
  check: (scene: Scene, params: Params): void => checkPeers(scene, params.peers),
  named: () => null,
  obstacle: networkObstacle,
  audit: auditToolbox,
  presence: remnants,
  settle: settleFlows,
} as const satisfies Partial<ChaosType>;

export function unsupported(detail: string | undefined): Availability {
  return { available: false, reason: 'not_in_kernel', detail: detail ?? 'the kernel has no mechanism for it' };
}

/** Throws `invalid_request` naming the nodes there are. */
export function checkPeers(scene: Scene, peers: unknown, path = 'params.peers'): void {
  if (!Array.isArray(peers)) return;
  const known = scene.nodes.map((n) => n.name);
  const unknown = peers.filter((p) => !known.includes(String(p)));
  if (unknown.length === 0) return;
  const reason = `${scene.subject} has no node ${unknown.join(', ')}`;
  throw bodyProblem(path, reason, known);
}

/** The peers' addresses, or null for all. A peer that does not run has none to be told. */
export function peerAddresses(scene: Scene, params: Params, target: string): string[] | null {
  if (!Array.isArray(params.peers)) return null;
  const names = params.peers.map(String).filter((name) => name !== target);
  const addresses = names.flatMap((name) => addressesOf(nodeOf(scene, name)));
  if (addresses.length === 0) {
    throw new Problem('no_candidate', `None of the peers ${names.join(', ') || 'of the node but itself'} runs and has an address.`, {
      peers: params.peers,
    });
  }
  return addresses;
}

export const peerNames = (params: Params): string[] | null => (Array.isArray(params.peers) ? params.peers.map(String) : null);

/** One undo for each node that got something. */
export function clears({ fault }: Injected, act: readonly Step[]): Step[] {
  return act.map((s) => ({ op: 'net.clear', fault, node: s.node, container_id: s.container_id }));
}

/** Which nodes a fault has touched, by its undo. */
export function touched(undo: readonly Step[]): { node: string; container_id: string }[] {
  return undo.filter((s) => s.op === 'net.clear').map(({ node, container_id }) => ({ node, container_id }));
}

/** Whom the fault kept apart from the nodes it touched: the peers or groups it was told, else everybody. */
function otherSide(scene: Scene, { params }: Fault): string[] {
  if (Array.isArray(params.peers)) return params.peers.map(String);
  return Array.isArray(params.groups) ? params.groups.flat().map(String) : scene.nodes.map((n) => n.name);
}

/** Connections that a cut or a loss sent into back-off stay silent long after the rules have gone. */
async function settleFlows(scene: Scene, fault: Fault, undo: readonly Step[], signal: AbortSignal): Promise<Residue[]> {
  return flowsRecovered(scene, touched(undo), otherSide(scene, fault), signal);
}
