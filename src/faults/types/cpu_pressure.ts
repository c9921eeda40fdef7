import type { CpuShare } from '../../toolbox/protocol.ts';
import type { ChaosType, Judgement } from '../chaos_type.ts';
import type { Effect } from '../fault.ts';
import type { Step } from '../step.ts';
import { together } from '../witness/together.ts';
import { auditToolbox, remnants } from './audit.ts';
import { defaults } from './defaults.ts';

const spinMs = 150;
/** On a busy host the spinners reach the quota in few of its periods: the second look has more of them. */
const longSpinMs = 600;

/**
 * Takes a share of the node's CPU allowance away by its control group's quota. Witness: what short-lived spinners in the node's group get, before and after, and the group's own throttle counters; where these cannot tell it from a busy host or a quota of the node's own, also whether its file still holds our quota. Health checks in the node are throttled too.
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
  baseline: async ({ toolbox }, { targets, params }, plan, signal) => {
    const spin = (forMs: number, s: AbortSignal) =>
      Promise.all(targets.map((t) => toolbox.call('measure.cpu', { container_id: t.container_id, for_ms: forMs }, s)));
    const quota = async (container_id: string, s: AbortSignal) => (await toolbox.call('measure.cgroup', { container_id }, s)).cpu;
    const allowance = await Promise.all(targets.map((t) => quota(t.container_id, signal)));
    const before = await spin(spinMs, signal);
    return {
      judge: async (facts, judging) => {
        const look = async (forMs: number): Promise<Judgement> => {
          const after = await spin(forMs, judging);
          const seen = targets.map((t, i) => ({
            check: 'cpu_share',
            node: t.node,
            before: before[i],
            after: after[i],
            asked_cpus: asked(allowance[i]?.allowance_cpus ?? 0, Number(params.percent)),
            own_quota: (allowance[i]?.quota_us ?? null) !== null,
          }));
          const judged = await Promise.all(
            seen.map(async (e, i) => {
              const verdict = judgeCpu(e.before, e.after, e.asked_cpus, { own: e.own_quota, holds: null });
              const ours = ourQuota(facts[i], plan.act[i]);
              const target = targets[i];
              if (verdict !== 'inconclusive' || ours === '' || target === undefined) return { verdict, evidence: e };
              const holds = (await quota(target.container_id, judging)).value === ours;
              const evidence = { ...e, holds_our_quota: holds };
              return { verdict: judgeCpu(e.before, e.after, e.asked_cpus, { own: e.own_quota, holds }), evidence };
            }),
          );
          return { verdict: together(judged.map((j) => j.verdict)), evidence: judged.map((j) => j.evidence) };
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

/** The quota that was written, as `measure.cgroup` would say it; empty: not known. */
function ourQuota(facts: Record<string, unknown> | undefined, step: Step | undefined): string {
  if (typeof facts?.ours === 'string') return facts.ours;
  return step?.op === 'cgroup.cpu' ? step.ours : '';
}

/**
 * Throttled, and not more than was left to it: a quota is there. Ours it is when nothing throttled the node before and the spinners get clearly less, or when the file still holds it after the look: it was written once, so that it has held it all
 * the while. `own`: the node had a quota before; `holds`: what the file holds after the look is ours, null when nobody has read it.
 */
export function judgeCpu(
  before: CpuShare | undefined,
  after: CpuShare | undefined,
  askedCpus: number,
  quota: { own: boolean; holds: boolean | null },
): Effect['verdict'] {
  if (quota.holds === false) return 'not_observed';
  if (before === undefined || after === undefined || before.wall_ms === 0 || after.wall_ms === 0) return 'inconclusive';
  const had = before.cpu_ms / before.wall_ms;
  const got = after.cpu_ms / after.wall_ms;
  const rose = after.throttled > 0;
  // One period's quota may be used up in a moment, so that a short look sees more than the average, by up to a whole period (100 ms), which is allowed for where the file tells; and one that is not in step with the periods no throttle.
  const most = askedCpus * (1 + (quota.holds === true ? 100 : 60) / after.wall_ms) + 12 / after.wall_ms;
  if (!rose && got > most) return 'not_observed';
  if (!rose || got > most) return 'inconclusive';
  // At least twice as near to what was asked as to what it was, where the two are further apart than a busy host's shares vary.
  const less = had >= askedCpus * 1.25 && got <= askedCpus + (had - askedCpus) / 3;
  const alone = !quota.own && before.throttled === 0;
  return quota.holds === true || (alone && less) ? 'confirmed' : 'inconclusive';
}
