import type { ChaosType } from '../chaos_type.ts';
import { highestKbit, judgeRate, rateTrain, wireKbit } from '../witness/rate.ts';
import { pairsFor, sendTrains, shown } from '../witness/trains.ts';
import { clears, networkDefaults, unsupported } from './network.ts';

/** Limits the rate of what leaves the node. Witness: a train at twice the rate, which passed before and now comes at the rate asked for. */
export const bandwidth: ChaosType = {
  ...networkDefaults,
  name: 'bandwidth',
  summary: 'Limits the rate of what leaves the node.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['rate_kbit'],
    properties: { rate_kbit: { type: 'integer', minimum: 32, maximum: 10_000_000, description: 'Kilobits (1000 bit) a second.' } },
  },
  layer: 'rate',
  check: () => {},
  available: (_scene, capabilities) =>
    capabilities?.tbf
      ? { available: true, mechanism: 'tbf' }
      : capabilities?.netem
        ? { available: true, mechanism: 'netem' }
        : unsupported(capabilities?.reasons.tbf),
  plan: async (_scene, injected) => {
    const act = injected.targets.map((t) => ({
      op: 'net.rate' as const,
      fault: injected.fault,
      node: t.node,
      container_id: t.container_id,
      rate_kbit: Number(injected.params.rate_kbit),
    }));
    return { act, undo: clears(injected, act), metadata: { rate_kbit: injected.params.rate_kbit } };
  },
  baseline: async (scene, { targets, params }, _plan, signal) => {
    const rateKbit = Number(params.rate_kbit);
    const shape = rateTrain(Math.min(rateKbit, highestKbit));
    const pairs = pairsFor(scene, targets, { peers: null, all: false }).filter((p) => p.role === 'out');
    const before = await sendTrains(scene, pairs, { ...shape, wait_ms: 100 }, signal);
    return {
      judge: async (_facts, judging) => {
        const after = await sendTrains(scene, pairs, shape, judging);
        const evidence = before.map((b, i) => {
          const a = after[i];
          const rate = (run: typeof b) => ({ ...shown(run), kbit: Math.round(wireKbit(run, shape) ?? 0) });
          return { check: 'rate', pair: b.name, before: rate(b), after: a ? rate(a) : null, asked_kbit: rateKbit };
        });
        return { verdict: judgeRate(before, after, rateKbit, shape), evidence };
      },
    };
  },
};
