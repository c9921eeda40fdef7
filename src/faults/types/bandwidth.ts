import type { ChaosType } from '../chaos_type.ts';
import { highestKbit, judgeRate, ratePairs, rateTrain, wireKbit, withControl } from '../witness/rate.ts';
import { pairsFor, sendTrains, shown } from '../witness/trains.ts';
import { clears, networkDefaults, unsupported } from './network.ts';

/** Limits the rate of what leaves the node. Witness: a train at twice the rate, which passed before and now comes at the rate asked for; where two other nodes can be had, beside the same train between them. */
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
  available: (_scene, capabilities) => (capabilities?.tbf ? { available: true, mechanism: 'tbf' } : unsupported(capabilities?.reasons.tbf)),
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
    const pairs = ratePairs(pairsFor(scene, targets, { peers: null, all: false, spare: true }), rateKbit);
    const first = await sendTrains(scene, pairs, { ...shape, wait_ms: 100 }, signal);
    // Another fault may delay them.
    const late = first.some((r) => r.role === 'out' && r.train.received < 0.98 * r.train.sent);
    const before = withControl(late ? await sendTrains(scene, pairs, { ...shape, wait_ms: 600 }, signal) : first, rateKbit, shape);
    return {
      judge: async (_facts, judging) => {
        let after = await sendTrains(scene, before, shape, judging);
        let verdict = judgeRate(before, after, rateKbit, shape);
        // A busy host may have hidden it for a moment; a train at a low rate takes seconds.
        for (let again = 0; again < 2 && verdict === 'inconclusive' && shape.wait_ms <= 500; again++) {
          after = await sendTrains(scene, before, shape, judging);
          verdict = judgeRate(before, after, rateKbit, shape);
        }
        const evidence = before.map((b, i) => {
          const a = after[i];
          const rate = (run: typeof b) => ({ ...shown(run), kbit: Math.round(wireKbit(run, shape) ?? 0) });
          return { check: 'rate', pair: b.name, role: b.role, before: rate(b), after: a ? rate(a) : null, asked_kbit: rateKbit };
        });
        return { verdict, evidence };
      },
    };
  },
};
