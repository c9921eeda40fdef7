import type { Fault, Remnant, Residue } from '../fault.ts';
import type { Scene } from '../scene.ts';
import type { Step } from '../step.ts';

/** What there is of a fault in the nodes and volumes that its undo steps name, by the toolbox. */
export async function remnants(scene: Scene, fault: Fault, undo: readonly Step[], signal: AbortSignal): Promise<Remnant[]> {
  const volumes = undo.flatMap((s) => (s.op === 'disk.release' ? [s.volume] : []));
  const inNodes = undo.filter((s) => s.op !== 'disk.release');
  const container_ids = inNodes.map((s) => s.container_id);
  const { residue } = await scene.toolbox.call('audit', { fault: fault.id, container_ids, volumes }, signal);
  const isAt = (s: Step, r: (typeof residue)[number]) =>
    s.op === 'disk.release' ? s.volume === r.volume : s.container_id === r.container_id;
  return residue.map((r) => ({
    node: (undo.find((s) => isAt(s, r)) ?? undo[0])?.node ?? '',
    what: r.what,
    name: r.name,
    inForce: r.in_force,
  }));
}

/** What the toolbox still finds of a fault. */
export async function auditToolbox(scene: Scene, fault: Fault, undo: readonly Step[], signal: AbortSignal): Promise<Residue[]> {
  return (await remnants(scene, fault, undo, signal)).map(({ node, what }) => ({ node, what }));
}
