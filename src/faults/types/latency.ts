import { bodyProblem as wrong } from '../../lib/input_error.ts';
import type { Capabilities } from '../../toolbox/protocol.ts';
import type { Availability, ChaosType, Params } from '../chaos_type.ts';
import type { Scene } from '../scene.ts';
import { enough, judgeDelay } from '../witness/delay.ts';
import { calmest, type Pair, pairsFor, type Run, sendTrains, shown } from '../witness/trains.ts';
import { checkPeers, clears, networkDefaults, peerAddresses, peerNames, peersSchema, unsupported } from './network.ts';

const longestMs = 10_000;
const ms = (description: string) => ({ type: 'number', minimum: 0, maximum: longestMs, description });
/** Of each bound by itself, as the original contract has it. */
const defaults = { min_ms: 50, max_ms: 150 };
/** The widest range that netem can draw from. */
const widestNetemMs = 4000;
const train = { count: 24, interval_us: 2000, size: 64 };

/** The range of the delay, from either way of saying it. */
export function delayRange(params: Params): { minMs: number; maxMs: number } {
  if (params.delay_ms !== undefined) {
    const [delay, jitter] = [Number(params.delay_ms), Number(params.jitter_ms ?? 0)];
    return { minMs: Math.max(0, delay - jitter), maxMs: delay + jitter };
  }
  return { minMs: Number(params.min_ms ?? defaults.min_ms), maxMs: Number(params.max_ms ?? defaults.max_ms) };
}

/** Whether netem can do it to these parameters' peers: it tells addresses apart only with the classes and filters around it. */
export function netemCan(capabilities: Capabilities | null, { peers }: Params): boolean {
  return capabilities?.netem === true && (peers === undefined || capabilities.reasons['netem with peers'] === undefined);
}

/** In the agent's own order: netem, unless the range is too wide for it or it cannot tell the peers apart; else in user space. */
function mechanismOf(capabilities: Capabilities | null, params: Params): Availability {
  const { minMs, maxMs } = delayRange(params);
  if (netemCan(capabilities, params) && maxMs - minMs <= widestNetemMs) return { available: true, mechanism: 'netem' };
  return capabilities?.nfqueue
    ? { available: true, mechanism: 'nfqueue' }
    : unsupported(capabilities?.reasons.nfqueue ?? capabilities?.reasons.netem);
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
      min_ms: ms('Shortest delay; 50 by default.'),
      max_ms: ms('Longest delay; 150 by default.'),
      delay_ms: ms('Instead of min_ms and max_ms: the middle of the range.'),
      jitter_ms: ms('With delay_ms: half the width of the range; 0 by default.'),
      peers: peersSchema,
    },
    // The defaults hold unless the range is said the other way.
    if: { anyOf: [{ required: ['delay_ms'] }, { required: ['jitter_ms'] }] },
    else: { properties: { min_ms: { default: defaults.min_ms }, max_ms: { default: defaults.max_ms } } },
  },
  layer: 'delay',
  available: (_scene, capabilities, params: Params = {}) => mechanismOf(capabilities, params),
  check: (scene, params) => {
    checkPeers(scene, params.peers);
    const both =
      ['min_ms', 'max_ms'].some((p) => params[p] !== undefined) && ['delay_ms', 'jitter_ms'].some((p) => params[p] !== undefined);
    if (both) throw wrong('params', 'min_ms and max_ms, or delay_ms and jitter_ms, not both');
    if (params.jitter_ms !== undefined && params.delay_ms === undefined) throw wrong('params.jitter_ms', 'it needs delay_ms');
    const { minMs, maxMs } = delayRange(params);
    if (minMs > maxMs) {
      const [min, max] = [told(minMs, defaults.min_ms), told(maxMs, defaults.max_ms)];
      throw wrong('params.min_ms', `it is greater than max_ms (${min} > ${max})`);
    }
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
    const before = calmest(await withoutIt(scene, pairsFor(scene, targets, { peers: peerNames(params), all: false, spare: true }), signal));
    const usualMs = Math.max(0, ...before.map((r) => (r.train.delay_us?.max ?? 0) / 1000));
    return {
      judge: async (facts, judging) => {
        const send = () => sendTrains(scene, before, { ...train, wait_ms: Math.ceil(maxMs + usualMs) + 150 }, judging);
        let after = await send();
        let verdict = judgeDelay(before, after, { minMs, maxMs });
        // A busy host may have hidden it for a moment.
        for (let again = 0; again < 2 && verdict === 'inconclusive' && maxMs >= 1 && maxMs <= 500; again++) {
          after = await send();
          verdict = judgeDelay(before, after, { minMs, maxMs });
        }
        const evidence = before.map((b, i) => ({
          check: 'train',
          pair: b.name,
          role: b.role,
          before: shown(b),
          after: after[i] ? shown(after[i]) : null,
        }));
        return {
          verdict,
          evidence: [
            ...evidence,
            { check: 'asked', before: null, after: { min_ms: minMs, max_ms: maxMs, interfaces: facts[0]?.interfaces ?? [] } },
          ],
        };
      },
    };
  },
};

/** A bound that was not given is in the parameters all the same. */
const told = (bound: number, byDefault: number): string => (bound === byDefault ? `${bound} by default` : `${bound}`);

/** The trains before: once more with patience where another fault's queue holds them. */
async function withoutIt(scene: Scene, pairs: readonly Pair[], signal: AbortSignal): Promise<Run[]> {
  const before = await sendTrains(scene, pairs, { ...train, wait_ms: 100 }, signal);
  if (before.every((r) => r.role !== 'out' || r.train.received >= enough)) return before;
  return sendTrains(scene, pairs, { ...train, wait_ms: 600 }, signal);
}
