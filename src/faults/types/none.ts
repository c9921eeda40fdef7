import type { ContainerDetail } from '../../engine/port.ts';
import type { ChaosType } from '../chaos_type.ts';
import { defaults, noParams } from './defaults.ts';

const facts = (c: ContainerDetail | null) => ({
  state: c?.state ?? 'absent',
  started_at: c?.startedAt ?? null,
  restart_count: c?.restartCount ?? null,
});

/**
 * The placebo: goes the same way as every fault (targets, ledger, watchdog, baseline, witness, heal) and changes nothing. Confirmed when nothing changed at its target.
 */
export const none: ChaosType = {
  ...defaults,
  name: 'none',
  summary: 'Does nothing, the same way: the baseline to compare other faults with.',
  paramsSchema: noParams,
  layer: 'none',
  life: 'lasting',
  needsToolbox: false,
  available: () => ({ available: true, mechanism: 'none' }),
  plan: async () => ({ act: [], undo: [], metadata: {} }),
  baseline: async ({ engine }, { targets }, _plan, signal) => {
    const look = (s: AbortSignal) => Promise.all(targets.map((t) => engine.inspectContainer(t.container_id, s)));
    const before = await look(signal);
    return {
      judge: async (_facts, judging) => {
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
};
