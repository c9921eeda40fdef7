import { Problem } from '../../lib/problem.ts';
import type { ChaosType, Params } from '../chaos_type.ts';
import { judgeDelay } from '../witness/delay.ts';
import { pairsFor, sendTrains, shown } from '../witness/trains.ts';
import { checkPeers, clears, networkDefaults, peerAddresses, peerNames, peersSchema, unsupported } from './network.ts';

const longestMs = 10_000;
const ms = (description: string) => ({ type: 'number', minimum: 0, maximum: longestMs, description });
const train = { count: 24, interval_us: 2000, size: 64 };

/** The range of the delay, from either way of saying it. */
export function delayRange(params: Params): { minMs: number; maxMs: number } {
  if (params.delay_ms !== undefined) {
    const [delay, jitter] = [Number(params.delay_ms), Number(params.jitter_ms ?? 0)];
    return { minMs: Math.max(0, delay - jitter), maxMs: delay + jitter };
  }
  return { minMs: Number(params.min_ms ?? 50), maxMs: Number(params.max_ms ?? 150) };
}

/** Delays what leaves the node, evenly between two bounds, in order within each flow. Witness: trains out of the target and, as a control, between nodes that are not touched. */
export const latency: ChaosType = {
  ...networkDefaults,
  name: 'latency',
  summary: 'Delays what leaves the node; loopback, its health checks and the engine’s DNS stay as they are.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      min_ms: { ...ms('Shortest delay; 50 when nothing is said.') },
      max_ms: { ...ms('Longest delay; 150 when nothing is said.') },
      delay_ms: { ...ms('Instead of min_ms and max_ms: the middle of the range.') },
      jitter_ms: { ...ms('With delay_ms: half the width of the range; 0 by default.') },
      peers: peersSchema,
    },
  },
  layer: 'delay',
  available: (_scene, capabilities) => {
    if (capabilities?.netem) return { available: true, mechanism: 'netem' };
    return capabilities?.nfqueue
      ? { available: true, mechanism: 'nfqueue' }
      : unsupported(capabilities?.reasons.nfqueue ?? capabilities?.reasons.netem);
  },
  check: (scene, params) => {
    checkPeers(scene, params.peers);
    const both =
      ['min_ms', 'max_ms'].some((p) => params[p] !== undefined) && ['delay_ms', 'jitter_ms'].some((p) => params[p] !== undefined);
    if (both) throw wrong('params', 'min_ms and max_ms, or delay_ms and jitter_ms, not both');
    if (params.jitter_ms !== undefined && params.delay_ms === undefined) throw wrong('params.jitter_ms', 'it needs delay_ms');
    if ((params.min_ms === undefined) !== (params.max_ms === undefined)) throw wrong('params', 'min_ms and max_ms belong together');
    const { minMs, maxMs } = delayRange(params);
    if (minMs > maxMs) throw wrong('params.min_ms', `it is greater than max_ms (${minMs} > ${maxMs})`);
    if (maxMs > longestMs) throw wrong('params', `delays go up to ${longestMs} ms`);
    if (maxMs <= 0) throw wrong('params', 'a delay of nothing is the chaos type none');
  },
  plan: async (scene, injected) => {
    const { minMs, maxMs } = delayRange(injected.params);
    const act = injected.targets.map((t) => ({
      op: 'net.delay' as const,
      fault: injected.fault,
      node: t.node,
      container_id: t.container_id,
      min_ms: minMs,
      max_ms: maxMs,
      peers: peerAddresses(scene, injected.params, t.node),
    }));
    return { act, undo: clears(injected, act), metadata: { min_ms: minMs, max_ms: maxMs } };
  },
  baseline: async (scene, { targets, params }, _plan, signal) => {
    const { minMs, maxMs } = delayRange(params);
    const pairs = pairsFor(scene, targets, { peers: peerNames(params), all: false });
    const before = await sendTrains(scene, pairs, { ...train, wait_ms: 100 }, signal);
    return {
      judge: async (facts, judging) => {
        const after = await sendTrains(scene, pairs, { ...train, wait_ms: Math.ceil(maxMs) + 150 }, judging);
        const evidence = before.map((b, i) => ({
          check: 'train',
          pair: b.name,
          role: b.role,
          before: shown(b),
          after: after[i] ? shown(after[i]) : null,
        }));
        return {
          verdict: judgeDelay(before, after, { minMs, maxMs }),
          evidence: [
            ...evidence,
            { check: 'asked', before: null, after: { min_ms: minMs, max_ms: maxMs, interfaces: facts[0]?.interfaces ?? [] } },
          ],
        };
      },
    };
  },
};

function wrong(path: string, reason: string): Problem {
  return new Problem('invalid_request', `${path}: ${reason}.`, { errors: [{ path, reason }] });
}
