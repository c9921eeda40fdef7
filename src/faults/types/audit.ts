import type { Fault, Residue } from '../fault.ts';
import type { Scene } from '../scene.ts';
import type { Step } from '../step.ts';

/** What the toolbox still finds of a fault in the nodes and volumes that its undo steps name. */
export async function auditToolbox(scene: Scene, fault: Fault, undo: readonly Step[], signal: AbortSignal): Promise<Residue[]> {
  const volumes = undo.flatMap((s) => (s.op === 'disk.release' ? [s.volume] : []));
  const inNodes = undo.filter((s) => s.op !== 'disk.release');
  const container_ids = inNodes.map((s) => s.container_id);
  const { residue } = await scene.toolbox.call('audit', { fault: fault.id, container_ids, volumes }, signal);
  const isAt = (s: Step, r: (typeof residue)[number]) =>
    s.op === 'disk.release'
      ? r.what.endsWith(` in volume ${s.volume}`)
      : // What is outside of the nodes' namespaces comes without a container; ballast names its own.
        s.container_id === r.container_id || (r.container_id === '' && r.what.includes(s.container_id));
  return residue.map((r) => ({ node: (undo.find((s) => isAt(s, r)) ?? undo[0])?.node ?? '', what: r.what }));
}
