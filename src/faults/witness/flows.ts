import { DeadlineError, until } from '../../lib/until.ts';
import { ToolboxError } from '../../toolbox/port.ts';
import type { Residue } from '../fault.ts';
import { addressesOf, type Scene } from '../scene.ts';

const lookEveryMs = 100;

/**
 * Waits until no established connection between these nodes and the rest of the subject waits for a retransmission after a time-out. What still does when the signal's deadline passes is answered. A node that has ended has no connections.
 */
export async function flowsRecovered(
  scene: Scene,
  where: readonly { node: string; container_id: string }[],
  signal: AbortSignal,
): Promise<Residue[]> {
  let left: Residue[] = [];
  const look = async (): Promise<true | undefined> => {
    const found = await Promise.all(where.map((at) => inBackoff(scene, at, signal)));
    left = found.flat();
    return left.length === 0 ? true : undefined;
  };
  try {
    await until(look, lookEveryMs, signal);
    return [];
  } catch (error) {
    if (error instanceof DeadlineError) return left;
    throw error;
  }
}

async function inBackoff(scene: Scene, at: { node: string; container_id: string }, signal: AbortSignal): Promise<Residue[]> {
  const peers = scene.nodes.filter((n) => n.name !== at.node).flatMap(addressesOf);
  if (peers.length === 0) return [];
  try {
    const { backoff } = await scene.toolbox.call('measure.flows', { container_id: at.container_id, peers }, signal);
    return backoff.map((f) => ({
      node: at.node,
      what: `the connection ${f.local} - ${f.remote} waits for its ${f.retransmits}. retransmission`,
    }));
  } catch (error) {
    if (error instanceof ToolboxError && (error.code === 'not_running' || error.code === 'gone')) return [];
    throw error;
  }
}
