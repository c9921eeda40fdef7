import { Problem } from '../../lib/problem.ts';
import type { Cgroup } from '../../toolbox/protocol.ts';
import type { ChaosType, Injected } from '../chaos_type.ts';
import type { Effect } from '../fault.ts';
import { nodeOf, type Scene } from '../scene.ts';
import { lookLater } from '../witness/lasting.ts';
import { judgeRise, levelOf } from '../witness/rise.ts';
import { together } from '../witness/together.ts';
import { auditToolbox, remnants } from './audit.ts';
import { defaults } from './defaults.ts';

/** In percent of the limit: the node's own use moves by as much within the look, so that a smaller ballast proves nothing. */
const tolerance = 4;

/**
 * Fills the node's memory group with ballast until a share of its limit is in use. Witness: the group's usage against its limit, which must have risen by the ballast. Ends with the node's process.
 */
export const memoryPressure: ChaosType = {
  ...defaults,
  name: 'memory_pressure',
  summary: 'Fills the node’s memory limit up to a share.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['percent'],
    properties: { percent: { type: 'number', minimum: 1, maximum: 98, description: 'Share of the memory limit that is in use then.' } },
  },
  layer: 'memory',
  life: 'volatile',
  needsToolbox: true,
  available: (scene, capabilities) => {
    if (scene.nodes.some((n) => n.containerId !== '') && scene.nodes.every((n) => !n.memoryLimited))
      return { available: false, reason: 'no_memory_limit', detail: 'no node has a memory limit (mem_limit in the compose file)' };
    return { available: true, mechanism: `cgroup_${capabilities?.cgroup ?? 'v1'}` };
  },
  obstacle: (node) => (!node.memoryLimited ? 'it has no memory limit' : node.running ? null : 'it does not run'),
  plan: async (scene, injected, signal) => {
    const { fault, targets, params } = injected;
    await refuseFull(scene, injected, signal);
    return {
      act: targets.map((t) => ({
        op: 'memory.ballast',
        fault,
        node: t.node,
        container_id: t.container_id,
        percent: Number(params.percent),
      })),
      undo: targets.map((t) => ({ op: 'memory.release', fault, node: t.node, container_id: t.container_id })),
      metadata: { percent: params.percent },
    };
  },
  baseline: async ({ toolbox }, { targets, params }, _plan, signal) => {
    const look = (s: AbortSignal) => Promise.all(targets.map((t) => toolbox.call('measure.cgroup', { container_id: t.container_id }, s)));
    const before = await look(signal);
    return {
      judge: async (facts, judging) => {
        const after = await lookLater(look, judging);
        const evidence = targets.map((t, i) => ({
          check: 'memory_usage',
          node: t.node,
          before: before[i]?.memory,
          after: after[i]?.memory,
          percent: Math.round(usedPercent(after[i]?.memory) * 10) / 10,
          ballast_bytes: number(facts[i]?.ballast_bytes),
          usage_bytes_before_ballast: number(facts[i]?.usage_bytes_before),
        }));
        const asked = Number(params.percent);
        const verdicts = evidence.map((e) => judgeMemory(e.ballast_bytes, e.usage_bytes_before_ballast, e.after, asked));
        return { verdict: together(verdicts), evidence };
      },
    };
  },
  audit: auditToolbox,
  presence: remnants,
};

type Memory = Cgroup['memory'];

const usedPercent = (memory: Memory | undefined) =>
  memory === undefined || memory.limit_bytes === null ? 0 : (100 * memory.usage_bytes) / memory.limit_bytes;
const number = (fact: unknown) => (typeof fact === 'number' ? fact : 0);

/** By the ballast that was taken (0: none), the usage when it was about to be, and the usage after. */
export function judgeMemory(ballast: number, usageBefore: number, after: Memory | undefined, asked: number): Effect['verdict'] {
  if (after === undefined || after.limit_bytes === null) return 'not_observed';
  const least = (after.limit_bytes * tolerance) / 100;
  return judgeRise({ added: ballast, rise: after.usage_bytes - usageBefore, least }, levelOf(usedPercent(after), asked, tolerance));
}

/** A node that uses as much already would get no ballast at all. A fault that is armed already may find its own there, and is put back whatever it finds. */
async function refuseFull(scene: Scene, { fault, targets, params }: Injected, signal: AbortSignal): Promise<void> {
  const running = targets.filter((t) => nodeOf(scene, t.node).running);
  const now = await Promise.all(running.map((t) => scene.toolbox.call('measure.cgroup', { container_id: t.container_id }, signal)));
  const at = now.findIndex(({ memory }) => usedPercent(memory) >= Number(params.percent));
  const [node, memory] = [running[at]?.node, now[at]?.memory];
  if (node === undefined || memory === undefined) return;
  const { records } = await scene.toolbox.call('records', {}, signal);
  if (records.some((r) => r.fault === fault)) return;
  throw new Problem('no_candidate', `${node} already uses ${params.percent} % of its memory limit or more.`, { node, ...memory });
}
