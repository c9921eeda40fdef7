import type { ChaosType } from '../chaos_type.ts';
import { byEngine, defaults, noParams } from './defaults.ts';

/** Long enough for a busy node to have used CPU time, short enough to be part of an answer. */
const watchMs = 100;

/**
 * Freezes all processes of the node through the engine. Its connections stay open and nothing answers. Witness: the freezer's own state, that the node used no CPU time meanwhile, and the engine's word.
 * Undo: unpause, and when the engine cannot, thaw from the host.
 */
export const nodePause: ChaosType = {
  ...defaults,
  name: 'node_pause',
  summary: 'Freezes the node: its connections stay open and nothing answers.',
  paramsSchema: noParams,
  layer: 'process',
  life: 'process',
  needsToolbox: true,
  available: byEngine,
  obstacle: (node) => (node.running ? null : node.paused ? 'it is paused already' : 'it does not run'),
  plan: async (_scene, { targets }) => ({
    act: targets.map((t) => ({ op: 'engine.pause', node: t.node, container_id: t.container_id })),
    undo: targets.map((t) => ({ op: 'engine.unpause', node: t.node, container_id: t.container_id })),
    metadata: {},
  }),
  baseline: async ({ engine, toolbox }, { targets }, _plan, signal) => {
    const before = await Promise.all(targets.map((t) => toolbox.call('measure.cgroup', { container_id: t.container_id }, signal)));
    return {
      judge: async (_facts, judging) => {
        const evidence = await Promise.all(
          targets.map(async (t, i) => {
            const frozen = await toolbox.call('measure.frozen', { container_id: t.container_id, for_ms: watchMs }, judging);
            const container = await engine.inspectContainer(t.container_id, judging);
            return {
              check: 'frozen',
              node: t.node,
              before: { frozen: before[i]?.frozen ?? null },
              after: { frozen: frozen.frozen, cpu_us: frozen.cpu_us, state: container?.state ?? 'absent' },
              watched_ms: watchMs,
            };
          }),
        );
        const there = evidence.every(
          (e) => e.after.frozen && e.after.cpu_us === 0 && e.after.state === 'paused' && e.before.frozen === false,
        );
        return { verdict: there ? 'confirmed' : 'not_observed', evidence };
      },
    };
  },
  audit: async ({ engine }, fault, _undo, signal) => {
    const left = await Promise.all(
      fault.targets.map(async (t) => {
        const container = await engine.inspectContainer(t.container_id, signal);
        if (container === null) return [{ node: t.node, what: 'its container is gone; reset the subject' }];
        if (container.state === 'paused') return [{ node: t.node, what: 'it is still paused' }];
        return container.state === 'running' ? [] : [{ node: t.node, what: `its container is ${container.state}` }];
      }),
    );
    return left.flat();
  },
};
