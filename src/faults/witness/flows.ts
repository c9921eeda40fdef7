import { DeadlineError, until } from '../../lib/until.ts';
import { ToolboxError } from '../../toolbox/port.ts';
import type { Residue } from '../fault.ts';
import { addressesOf, type Scene } from '../scene.ts';

const lookEveryMs = 100;

interface At {
  node: string;
  container_id: string;
}

/** Where connections are looked at, and with whom. */
type Question = At & { peers: string[] };

/**
 * Waits until no established connection between the touched nodes and the rest of the subject waits for a retransmission after a time-out, on either side: each has a timer of its own, and only the one with something unacknowledged
 * waits. `others` are the nodes on the other side; of them those that run are asked about the touched nodes' addresses. What still waits when the signal's deadline passes is answered. A node that has ended has no connections.
 */
export async function flowsRecovered(
  scene: Scene,
  touched: readonly At[],
  others: readonly string[],
  signal: AbortSignal,
): Promise<Residue[]> {
  const questions = [...here(scene, touched), ...beyond(scene, touched, others)];
  let left: Residue[] | null = null;
  const look = async (): Promise<true | undefined> => {
    left = (await Promise.all(questions.map((q) => inBackoff(scene, q, signal)))).flat();
    return left.length === 0 ? true : undefined;
  };
  try {
    await until(look, lookEveryMs, signal);
    return [];
  } catch (error) {
    // A deadline that passes before the first look has ended proves nothing.
    if (error instanceof DeadlineError && left !== null) return left;
    throw error;
  }
}

function here(scene: Scene, touched: readonly At[]): Question[] {
  return touched.map((at) => ({ ...at, peers: scene.nodes.filter((n) => n.name !== at.node).flatMap(addressesOf) }));
}

/** A node that shares a touched one's namespace is asked there; the host's namespace is not entered. */
function beyond(scene: Scene, touched: readonly At[], others: readonly string[]): Question[] {
  const isTouched = (name: string) => touched.some((at) => at.node === name);
  const peers = scene.nodes.filter((n) => isTouched(n.name)).flatMap(addressesOf);
  return scene.nodes
    .filter((n) => others.includes(n.name) && n.running && !n.hostNetwork && ![n.name, ...n.sharesNetworkWith].some(isTouched))
    .map((n) => ({ node: n.name, container_id: n.containerId, peers }));
}

async function inBackoff(scene: Scene, { node, container_id, peers }: Question, signal: AbortSignal): Promise<Residue[]> {
  if (peers.length === 0) return [];
  try {
    const { backoff } = await scene.toolbox.call('measure.flows', { container_id, peers }, signal);
    return backoff.map((f) => ({
      node,
      what: `the connection ${f.local} - ${f.remote} waits for its ${f.retransmits}. retransmission`,
    }));
  } catch (error) {
    if (error instanceof ToolboxError && (error.code === 'not_running' || error.code === 'gone')) return [];
    throw error;
  }
}
