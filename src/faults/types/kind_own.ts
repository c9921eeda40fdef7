import type { KindChaos, KindStep } from '../../kind/adapter.ts';
import { Problem } from '../../lib/problem.ts';
import type { ChaosType } from '../chaos_type.ts';
import type { FaultTarget } from '../fault.ts';
import type { Step } from '../step.ts';
import { lookLater } from '../witness/lasting.ts';
import { together } from '../witness/together.ts';
import { defaults } from './defaults.ts';

/** A kind's chaos type as one of ours. `general` finds the one that an alias stands for. */
export function kindChaosType(chaos: KindChaos, general: (name: string) => ChaosType): ChaosType {
  const { name, summary, defaultTarget, nodeTypes } = chaos;
  const base = chaos.of === null ? defaults : general(chaos.of);
  const obstacle: ChaosType['obstacle'] = (node) =>
    nodeTypes === undefined || nodeTypes.includes(node.type)
      ? base.obstacle(node)
      : `${node.name} is not of type ${nodeTypes.join(' or ')}`;
  if (chaos.of !== null) return { ...general(chaos.of), name, summary, defaultTarget, obstacle };
  return {
    ...defaults,
    name,
    summary,
    defaultTarget,
    obstacle,
    paramsSchema: chaos.paramsSchema,
    layer: `kind:${name}`,
    life: 'lasting',
    needsToolbox: true,
    available: () => ({ available: true, mechanism: 'adapter' }),
    plan: async (_scene, { fault, targets, params }) => {
      const plans = targets.map((t) => ({ t, ...chaos.plan(fault, params) }));
      return {
        act: plans.flatMap(({ t, act }) => act.map((s) => at(s, fault, t))),
        undo: plans.flatMap(({ t, undo }) => undo.map((s) => at(s, fault, t))),
        metadata: { ...params },
      };
    },
    baseline: async ({ toolkit }, { fault, targets, params }, _plan, signal) => {
      const measure = (s: AbortSignal) => Promise.all(targets.map((t) => chaos.measure(toolkit, fault, params, t.node, s)));
      const before = await measure(signal).catch((error: unknown) => {
        throw signal.aborted ? error : unmeasured(name, targets, error);
      });
      return {
        judge: async (_facts, judging) => {
          const after = await lookLater(measure, judging);
          const evidence = targets.map((t, i) => ({ check: name, node: t.node, before: before[i] ?? null, after: after[i] ?? null }));
          const verdicts = before.map((b, i) => chaos.judge(b, after[i] ?? {}, params));
          return { verdict: together(verdicts), evidence };
        },
      };
    },
    audit: async ({ toolkit }, fault, _undo, signal) => {
      const left = await Promise.all(
        fault.targets.map(async (t) => {
          const now = await chaos.measure(toolkit, fault.id, fault.params, t.node, signal);
          return chaos.residue(now).map((what) => ({ node: t.node, what }));
        }),
      );
      return left.flat();
    },
  };
}

/** The node does not answer, or not as it should: that says nothing of this service. */
function unmeasured(name: string, targets: readonly FaultTarget[], cause: unknown): Problem {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Problem('state_unavailable', `${name} cannot be measured at ${targets.map((t) => t.node).join(', ')}: ${why}.`, {}, { cause });
}

function at(step: KindStep, fault: string, target: FaultTarget): Step {
  return { ...step, fault, node: target.node, container_id: target.container_id };
}
