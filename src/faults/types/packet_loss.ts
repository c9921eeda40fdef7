import type { ChaosType, Params } from '../chaos_type.ts';
import type { Scene } from '../scene.ts';
import { firstWaitMs, judgeLoss, longerWait, waitAfter } from '../witness/loss.ts';
import { calmest, type Pair, pairsFor, type Run, sendTrains, shown } from '../witness/trains.ts';
import { netemCan } from './latency.ts';
import { clears, networkDefaults, peerAddresses, peerNames, peersSchema, unsupported } from './network.ts';

/** Enough packets to tell a few percent from none. */
const train = { count: 240, interval_us: 300, size: 64 };

/** Loses a share of what leaves the node, silently, as a network does. Witness: losses of trains against a binomial test, and the rule's own counter. */
export const packetLoss: ChaosType = {
  ...networkDefaults,
  name: 'packet_loss',
  summary: 'Loses a share of what leaves the node.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['percent'],
    properties: {
      percent: { type: 'number', exclusiveMinimum: 0, maximum: 100, description: 'Share of packets that are lost.' },
      peers: peersSchema,
    },
  },
  layer: 'loss',
  // In the agent's own order.
  available: (_scene, capabilities, params: Params = {}) => {
    if (capabilities?.nft_netdev) return { available: true, mechanism: 'nft_netdev' };
    if (netemCan(capabilities, params)) return { available: true, mechanism: 'netem' };
    return capabilities?.statistic ? { available: true, mechanism: 'statistic' } : unsupported(capabilities?.reasons.statistic);
  },
  plan: async (scene, injected) => {
    const act = injected.targets.map((t) => ({
      op: 'net.loss' as const,
      fault: injected.fault,
      node: t.node,
      container_id: t.container_id,
      percent: Number(injected.params.percent),
      peers: peerAddresses(scene, injected.params, t.node),
    }));
    return { act, undo: clears(injected, act), metadata: { percent: injected.params.percent } };
  },
  baseline: async (scene, { fault, targets, params }, _plan, signal) => {
    const before = calmest(await withoutIt(scene, pairsFor(scene, targets, { peers: peerNames(params), all: false, spare: true }), signal));
    return {
      judge: async (_facts, judging) => {
        const after = await sendTrains(scene, before, { ...train, wait_ms: waitAfter(before) }, judging);
        const trains = before.map((b, i) => ({
          check: 'train',
          pair: b.name,
          role: b.role,
          before: shown(b),
          after: after[i] ? shown(after[i]) : null,
        }));
        const counters = await Promise.all(
          targets.map(async (t) => ({
            check: 'counter',
            node: t.node,
            before: 0,
            after: (await scene.toolbox.call('measure.counters', { fault, container_id: t.container_id }, judging)).packets,
          })),
        );
        return { verdict: judgeLoss(before, after, Number(params.percent)), evidence: [...trains, ...counters] };
      },
    };
  },
};

/** The trains before: sent again with more patience while packets are missing that may only be late. */
async function withoutIt(scene: Scene, pairs: readonly Pair[], signal: AbortSignal): Promise<Run[]> {
  for (let wait = firstWaitMs; ; ) {
    const before = await sendTrains(scene, pairs, { ...train, wait_ms: wait }, signal);
    const longer = longerWait(before, wait);
    if (longer === null) return before;
    wait = longer;
  }
}
