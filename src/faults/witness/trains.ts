import type { Train } from '../../toolbox/protocol.ts';
import type { FaultTarget } from '../fault.ts';
import { nodeOf, type Scene, type SceneNode, sharedAddresses } from '../scene.ts';

/** One train to be sent, and what it is for. */
export interface Pair {
  name: string;
  /** `out`: from a target; `in`: to a target; `control`: between nodes the fault does not touch. */
  role: 'out' | 'in' | 'control';
  target: string;
  from: string;
  to: string;
  address: string;
}

export interface TrainShape {
  count: number;
  interval_us: number;
  size: number;
  wait_ms: number;
}

/**
 * Trains for the targets: out to and in from each of `peersOf` (or one peer), on every address they share, and a control pair; with `spare`, more controls, of which `calmest` keeps one: other faults may be
 * at the nodes of the first.
 */
export function pairsFor(
  scene: Scene,
  targets: readonly FaultTarget[],
  options: { peers: readonly string[] | null; all: boolean; spare?: boolean },
): Pair[] {
  const hit = new Set(targets.map((t) => t.node));
  const running = scene.nodes.filter((n) => n.running && n.networks.length > 0);
  const pairs = targets.flatMap(({ node }): Pair[] => {
    const target = nodeOf(scene, node);
    const candidates = running.filter(
      (n) => n.name !== node && (options.peers === null || options.peers.includes(n.name)) && apart(n, target),
    );
    const preferred = [...candidates.filter((n) => !hit.has(n.name)), ...candidates.filter((n) => hit.has(n.name))];
    const reached = preferred.filter((n) => sharedAddresses(target, n).length > 0);
    return (options.all ? reached : reached.slice(0, 1)).flatMap((peer) => both(target, peer, options.all));
  });
  const untouched = running.filter((n) => !hit.has(n.name));
  const controls = [...(options.spare ? controlPairs(untouched) : controlPairs(untouched).slice(0, 1))];
  const loopback = options.spare || controls.length === 0 ? loopbackPair(untouched, targets) : null;
  return [...pairs, ...controls, ...(loopback === null ? [] : [loopback])];
}

function both(target: SceneNode, peer: SceneNode, all: boolean): Pair[] {
  const take = <T>(list: T[]) => (all ? list : list.slice(0, 1));
  return [
    ...take(sharedAddresses(target, peer)).map((address) => pair('out', target, peer, address, target.name)),
    ...take(sharedAddresses(peer, target)).map((address) => pair('in', peer, target, address, target.name)),
  ];
}

/** Two untouched nodes, there and back: what is done to one's network is mostly done to what leaves it. */
function controlPairs(untouched: readonly SceneNode[]): Pair[] {
  for (const from of untouched) {
    for (const to of untouched) {
      if (from === to || !apart(from, to)) continue;
      const [there, back] = [sharedAddresses(from, to)[0], sharedAddresses(to, from)[0]];
      if (there === undefined || back === undefined) continue;
      return [pair('control', from, to, there, ''), pair('control', to, from, back, '')];
    }
  }
  return [];
}

/** The loopback of one node, which shares the host's load and nothing else. */
function loopbackPair(untouched: readonly SceneNode[], targets: readonly FaultTarget[]): Pair | null {
  const alone = untouched[0]?.containerId ?? targets[0]?.container_id;
  const name = untouched[0]?.name ?? targets[0]?.node;
  if (alone === undefined || name === undefined) return null;
  return { name: `control ${name} lo`, role: 'control', target: '', from: alone, to: alone, address: '127.0.0.1' };
}

function pair(role: Pair['role'], from: SceneNode, to: SceneNode, address: string, target: string): Pair {
  return { name: `${role} ${from.name}>${to.name} ${address}`, role, target, from: from.containerId, to: to.containerId, address };
}

function apart(a: SceneNode, b: SceneNode): boolean {
  return !a.hostNetwork && !b.hostNetwork && !a.sharesNetworkWith.includes(b.name);
}

/** A pair with what its train found. */
export type Run = Pair & { train: Train };

/** How many packets of a train were offered, and how many did not come; a refused one was lost before the sender's eyes. */
export function losses({ train }: Run): { lost: number; of: number } {
  const of = train.sent + train.refused;
  return { lost: of - train.received, of };
}

/** A control whose packets come within this of each other says what the host does. */
const calmMs = 5;

/** The runs with one control of theirs: the first that lost nearly nothing and came evenly before the act, else the one that lost least. A control that another fault disturbs says nothing of the host. */
export function calmest(before: readonly Run[]): Run[] {
  const controls = before.filter((r) => r.role === 'control');
  const lost = (r: Run) => (losses(r).of === 0 ? 1 : losses(r).lost / losses(r).of);
  const isCalm = ({ train: { delay_us } }: Run) => delay_us !== null && delay_us.p95 - delay_us.min <= calmMs * 1000;
  const kept = controls.find((r) => lost(r) <= 0.02 && isCalm(r)) ?? [...controls].sort((a, b) => lost(a) - lost(b))[0];
  return before.filter((r) => r.role !== 'control' || r === kept);
}

export async function sendTrains(scene: Scene, pairs: readonly Pair[], shape: TrainShape, signal: AbortSignal): Promise<Run[]> {
  const asked = pairs.map(({ name, from, to, address }) => ({ name, from, to, address }));
  const longest = (shape.count * shape.interval_us) / 1000 + shape.wait_ms;
  const { pairs: trains } = await scene.toolbox.call('measure.trains', { pairs: asked, ...shape }, signal, Math.ceil(longest + 5000));
  return pairs.map((p, i) => {
    const train = trains[i];
    if (train === undefined) throw new Error(`no train came back for ${p.name}`);
    return { ...p, train };
  });
}

/** A train as evidence shows it. */
export function shown({ train }: Run): Record<string, unknown> {
  const ms = (us: number) => Math.round(us / 10) / 100;
  return {
    sent: train.sent,
    received: train.received,
    ...(train.refused > 0 ? { refused: train.refused } : {}),
    ...(train.delay_us === null
      ? {}
      : {
          delay_ms: { min: ms(train.delay_us.min), p50: ms(train.delay_us.p50), p95: ms(train.delay_us.p95), max: ms(train.delay_us.max) },
        }),
    ...(train.error === undefined ? {} : { error: train.error }),
  };
}
