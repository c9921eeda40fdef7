import type { ChaosType } from '../chaos_type.ts';
import { byEngine, defaults, graceParams } from './defaults.ts';
import { auditRunning, diedSince, stillDeadMs, watchContainers } from './process.ts';

/** An orderly stop through the engine: the stop signal, and SIGKILL after the grace. Witness: exited, whatever the code. Undo: start it again. */
export const nodeStop: ChaosType = {
  ...defaults,
  name: 'node_stop',
  summary: 'Stops the node in an orderly way; it stays stopped until it is healed.',
  paramsSchema: graceParams,
  layer: 'process',
  life: 'process',
  needsToolbox: false,
  available: byEngine,
  plan: async (_scene, { targets, params }) => ({
    act: targets.map((t) => ({ op: 'engine.stop', node: t.node, container_id: t.container_id, grace_s: Number(params.grace_s) })),
    undo: targets.map((t) => ({ op: 'engine.start', node: t.node, container_id: t.container_id })),
    metadata: { grace_s: params.grace_s },
  }),
  baseline: (scene, { targets }, _plan, signal) =>
    watchContainers(
      scene,
      targets,
      { seen: (before, now) => diedSince(before, now) && now.state === 'exited', budgetMs: 2000, lastsMs: stillDeadMs },
      signal,
    ),
  audit: (scene, fault, _undo, signal) => auditRunning(scene, fault, signal),
};
