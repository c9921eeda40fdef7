import type { ContainerDetail } from '../engine/port.ts';
import type { ChaosType } from './chaos_type.ts';
import type { FaultTarget } from './fault.ts';

const facts = (c: ContainerDetail | null) => ({
  state: c?.state ?? 'absent',
  started_at: c?.startedAt ?? null,
  restart_count: c?.restartCount ?? null,
});

/**
 * The placebo: goes the same way as every fault (targets, ledger, baseline, witness, heal) and changes nothing. Confirmed when nothing changed at its target.
 */
export const none: ChaosType = {
  name: 'none',
  summary: 'Does nothing, the same way: the baseline to compare other faults with.',
  paramsSchema: { type: 'object', additionalProperties: false, properties: {} },
  available: async () => ({ available: true, mechanism: 'none' }),
  eligible: (node) => node.running,
  plan: () => ({ act: [], undo: [] }),
  baseline: async (probe, targets, signal) => {
    const look = (s: AbortSignal) => Promise.all(targets.map((t: FaultTarget) => probe.engine.inspectContainer(t.container_id, s)));
    const before = await look(signal);
    return {
      judge: async (judging) => {
        const after = await look(judging);
        const evidence = targets.map((t, i) => ({
          check: 'unchanged',
          node: t.node,
          before: facts(before[i] ?? null),
          after: facts(after[i] ?? null),
        }));
        const unchanged = evidence.every((e) => JSON.stringify(e.before) === JSON.stringify(e.after));
        return { verdict: unchanged ? 'confirmed' : 'not_observed', evidence };
      },
    };
  },
  audit: async () => [],
  metadata: () => ({}),
};
