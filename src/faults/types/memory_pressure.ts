import type { ChaosType } from '../chaos_type.ts';
import { lookLater } from '../witness/lasting.ts';
import { auditToolbox, remnants } from './audit.ts';
import { defaults } from './defaults.ts';

const tolerance = 4;

/**
 * Fills the node's memory group with ballast until a share of its limit is in use. Witness: the group's usage against its limit. Ends with the node's process.
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
  plan: async (_scene, { fault, targets, params }) => ({
    act: targets.map((t) => ({ op: 'memory.ballast', fault, node: t.node, container_id: t.container_id, percent: Number(params.percent) })),
    undo: targets.map((t) => ({ op: 'memory.release', fault, node: t.node, container_id: t.container_id })),
    metadata: { percent: params.percent },
  }),
  baseline: async ({ toolbox }, { targets, params }, _plan, signal) => {
    const look = (s: AbortSignal) => Promise.all(targets.map((t) => toolbox.call('measure.cgroup', { container_id: t.container_id }, s)));
    const before = await look(signal);
    return {
      judge: async (_facts, judging) => {
        const after = await lookLater(look, judging);
        const percent = (c: (typeof before)[number] | undefined) =>
          c === undefined || c.memory.limit_bytes === null ? 0 : (100 * c.memory.usage_bytes) / c.memory.limit_bytes;
        const evidence = targets.map((t, i) => ({
          check: 'memory_usage',
          node: t.node,
          before: before[i]?.memory,
          after: after[i]?.memory,
          percent: Math.round(percent(after[i]) * 10) / 10,
        }));
        const asked = Number(params.percent);
        const there = after.every((a, i) => percent(a) >= asked - tolerance && percent(a) > percent(before[i]));
        return { verdict: there ? 'confirmed' : 'not_observed', evidence };
      },
    };
  },
  audit: auditToolbox,
  presence: remnants,
};
