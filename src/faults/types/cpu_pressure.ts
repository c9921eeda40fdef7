import type { CpuShare } from '../../toolbox/protocol.ts';
import type { ChaosType, Judgement } from '../chaos_type.ts';
import type { Effect } from '../fault.ts';
import { together } from '../witness/together.ts';
import { auditToolbox, remnants } from './audit.ts';
import { defaults } from './defaults.ts';

const spinMs = 150;
/** On a busy host the spinners reach the quota in few of its periods: the second look has more of them. */
const longSpinMs = 600;

/**
 * Takes a share of the node's CPU allowance away by its control group's quota. Witness: what short-lived spinners in the node's group get, before and after, and the group's own throttle counters. Health checks in the node are throttled too.
 */
export const cpuPressure: ChaosType = {
  ...defaults,
  name: 'cpu_pressure',
  summary: 'Takes a share of the node’s CPU allowance away; its health checks feel it too.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['percent'],
    properties: {
      percent: { type: 'number', exclusiveMinimum: 0, maximum: 99, description: 'Share of the allowance that is taken away.' },
    },
  },
  layer: 'cpu',
  life: 'volatile',
  needsToolbox: true,
  available: (_scene, capabilities) => ({ available: true, mechanism: `cgroup_${capabilities?.cgroup ?? 'v1'}` }),
  plan: async ({ toolbox }, { fault, targets, params }, signal) => {
    const percent = Number(params.percent);
    const at = await Promise.all(
      targets.map(async ({ node, container_id }) => {
        const { cpu } = await toolbox.call('measure.cgroup', { container_id, cpu_percent: percent }, signal);
        return { where: { fault, node, container_id }, file: cpu.file, before: cpu.value, ours: cpu.ours ?? '' };
      }),
    );
    return {
      act: at.map(({ where, before, ours }) => ({ op: 'cgroup.cpu', ...where, percent, before, ours })),
      undo: at.map(({ where, file, before, ours }) => ({ op: 'cgroup.restore', ...where, file, before, ours })),
      metadata: { percent },
    };
  },
  baseline: async ({ toolbox }, { targets, params }, _plan, signal) => {
    const spin = (forMs: number, s: AbortSignal) =>
      Promise.all(targets.map((t) => toolbox.call('measure.cpu', { container_id: t.container_id, for_ms: forMs }, s)));
    const allowance = await Promise.all(targets.map((t) => toolbox.call('measure.cgroup', { container_id: t.container_id }, signal)));
    const before = await spin(spinMs, signal);
    return {
      judge: async (_facts, judging) => {
        const look = async (forMs: number): Promise<Judgement> => {
          const after = await spin(forMs, judging);
          const evidence = targets.map((t, i) => ({
            check: 'cpu_share',
            node: t.node,
            before: before[i],
            after: after[i],
            asked_cpus: asked(allowance[i]?.cpu.allowance_cpus ?? 0, Number(params.percent)),
          }));
          const verdicts = evidence.map((e) => judgeCpu(e.before, e.after, e.asked_cpus));
          return { verdict: together(verdicts), evidence };
        };
        const first = await look(spinMs);
        return first.verdict === 'inconclusive' ? look(longSpinMs) : first;
      },
    };
  },
  audit: auditToolbox,
  presence: remnants,
};

const asked = (cpus: number, percent: number) => Math.round(cpus * (100 - percent) * 10) / 1000;

/** Throttled, and not more than was left to it: the quota is there. A host too busy to give more than that anyway leaves only the throttle counter to go by. */
export function judgeCpu(before: CpuShare | undefined, after: CpuShare | undefined, askedCpus: number): Effect['verdict'] {
  if (before === undefined || after === undefined || after.wall_ms === 0) return 'inconclusive';
  const got = after.cpu_ms / after.wall_ms;
  const rose = after.throttled > 0;
  // One period's quota may be used up in a moment, so that a short look sees more than the average; and one that is not in step with the periods no throttle.
  const most = askedCpus * (1 + 60 / after.wall_ms) + 12 / after.wall_ms;
  if (rose && got <= most) return 'confirmed';
  return !rose && got > most ? 'not_observed' : 'inconclusive';
}
