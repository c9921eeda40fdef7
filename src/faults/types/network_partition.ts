import { bodyProblem } from '../../lib/input_error.ts';
import { Problem } from '../../lib/problem.ts';
import type { ChaosType, Injected, Params } from '../chaos_type.ts';
import { addressesOf, nodeOf, type Scene } from '../scene.ts';
import type { Step } from '../step.ts';
import { judgeCut } from '../witness/cut.ts';
import { type Pair, pairsFor, sendTrains, shown } from '../witness/trains.ts';
import { checkPeers, clears, networkDefaults, unsupported } from './network.ts';

const train = { count: 20, interval_us: 1500, size: 64, wait_ms: 40 };

type Direction = 'both' | 'to' | 'from';

/** Which nodes are cut from which. */
interface Sides {
  /** Rules stand in these nodes. */
  inside: string[][];
  all: string[][];
}

/**
 * Cuts nodes off from one another: by default each target from every other node, or named groups from each other. Packets vanish silently, IPv4 and IPv6, on every network; established connections too. Witness: trains in each direction between
 * every two nodes that are cut, and between nodes that are not.
 */
export const networkPartition: ChaosType = {
  ...networkDefaults,
  name: 'network_partition',
  summary: 'Cuts the node off from all others, or groups of nodes from each other.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      groups: {
        type: 'array',
        minItems: 2,
        maxItems: 10,
        items: { type: 'array', minItems: 1, maxItems: 100, uniqueItems: true, items: { type: 'string', minLength: 1, maxLength: 128 } },
        description: 'Instead of a target: nodes of different groups do not reach each other; nodes in no group reach all.',
      },
      direction: {
        type: 'string',
        enum: ['both', 'to', 'from'],
        default: 'both',
        description: 'What vanishes, as seen from the target or the first group: what goes to it, what comes from it, or both.',
      },
    },
  },
  layer: 'partition',
  available: (_scene, capabilities) => {
    if (capabilities?.nft_netdev) return { available: true, mechanism: 'nft_netdev' };
    return capabilities?.iptables ? { available: true, mechanism: 'iptables' } : unsupported(capabilities?.reasons.nft_netdev);
  },
  check: (scene, params) => checkGroups(scene, params),
  named: (params) => (params.groups === undefined ? null : sidesOf(params.groups as string[][], params.direction as Direction).flat()),
  plan: async (scene, injected) => {
    const { inside, all } = sides(scene, injected);
    const direction = injected.params.direction as Direction;
    const act: Step[] = inside.flatMap((group) => {
      const others = all.filter((g) => g !== group).flat();
      const addresses = others.flatMap((name) => addressesOf(nodeOf(scene, name)));
      if (addresses.length === 0)
        throw new Problem('no_candidate', `No node runs that ${group.join(', ')} could be cut off from.`, { group });
      return group.map((name) => ({
        op: 'net.drop' as const,
        fault: injected.fault,
        node: name,
        container_id: nodeOf(scene, name).containerId,
        to: direction === 'to' ? [] : addresses,
        from: direction === 'from' ? [] : addresses,
      }));
    });
    const first = act[0];
    return {
      act,
      undo: clears(injected, act),
      metadata: {
        isolated_container: injected.targets[0]?.container ?? null,
        target_ips: first?.op === 'net.drop' ? [...new Set([...first.to, ...first.from])] : [],
        direction,
      },
    };
  },
  baseline: async (scene, injected, _plan, signal) => {
    const { inside, all } = sides(scene, injected);
    const direction = injected.params.direction as Direction;
    const groupOf = (name: string) => all.findIndex((g) => g.includes(name));
    const insideNames = inside.flat();
    const targets = insideNames.map((name) => ({ node: name, container: '', container_id: nodeOf(scene, name).containerId }));
    const nameOf = (id: string) => scene.nodes.find((n) => n.containerId === id)?.name ?? '';
    const cut = (p: Pair) => {
      const [from, to] = [groupOf(nameOf(p.from)), groupOf(nameOf(p.to))];
      if (p.role === 'control' || from === -1 || to === -1 || from === to) return false;
      return direction === 'both' || (direction === 'from' ? p.role === 'out' : p.role === 'in');
    };
    const pairs = pairsFor(scene, targets, { peers: null, all: true });
    const before = await sendTrains(scene, pairs, train, signal);
    return {
      judge: async (_facts, judging) => {
        const after = await sendTrains(scene, pairs, train, judging);
        const evidence = before.map((b, i) => ({
          check: 'train',
          pair: b.name,
          role: b.role,
          cut: cut(b),
          before: shown(b),
          after: after[i] ? shown(after[i]) : null,
        }));
        return { verdict: judgeCut(before, after, cut), evidence };
      },
    };
  },
};

function sides(scene: Scene, { targets, params }: Injected): Sides {
  const groups = params.groups as string[][] | undefined;
  if (groups !== undefined) return { inside: sidesOf(groups, params.direction as Direction), all: groups };
  const alone = targets.map((t) => [t.node]);
  const others = scene.nodes.map((n) => n.name).filter((name) => !targets.some((t) => t.node === name));
  return { inside: alone, all: others.length === 0 ? alone : [...alone, others] };
}

/** Rules stand in all groups but the last: each pair of groups then has them on one side at least. With one direction, in the first, whose view it is. */
function sidesOf(groups: string[][], direction: Direction): string[][] {
  return direction === 'both' ? groups.slice(0, -1) : groups.slice(0, 1);
}

function checkGroups(scene: Scene, params: Params): void {
  const groups = params.groups as string[][] | undefined;
  if (groups === undefined) return;
  const wrong = (reason: string) => bodyProblem('params.groups', reason);
  for (const [i, group] of groups.entries()) checkPeers(scene, group, `params.groups.${i}`);
  const named = groups.flat();
  const everyone = groups.find((g) => scene.nodes.every((n) => g.includes(n.name)));
  if (everyone !== undefined) throw wrong('a group holds every node, so that there is nobody to be cut off from');
  const twice = named.find((name, i) => named.indexOf(name) !== i);
  if (twice !== undefined) throw wrong(`${twice} is in two groups`);
  if (groups.length > 2 && params.direction !== 'both') throw wrong('with a direction there are two groups');
  for (const name of named) {
    const node = nodeOf(scene, name);
    if (node.hostNetwork) throw new Problem('no_candidate', `${name} is on the host’s network, which is not disturbed.`, { node: name });
    if (!node.running) throw new Problem('no_candidate', `${name} does not run.`, { node: name });
  }
}
