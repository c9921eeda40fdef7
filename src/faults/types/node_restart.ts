import type { ChaosType } from '../chaos_type.ts';
import { byEngine, defaults, graceParams } from './defaults.ts';
import { auditRunning, watchContainers } from './process.ts';

/** A restart through the engine. Witness: it runs, and since a later time than before. Undo: have it running. */
export const nodeRestart: ChaosType = {
  ...defaults,
  name: 'node_restart',
  summary: 'Restarts the node: an orderly stop, then a start.',
  paramsSchema: graceParams,
  layer: 'process',
  life: 'lasting',
  needsToolbox: false,
  available: byEngine,
  plan: async (_scene, { targets, params }) => ({
    act: targets.map((t) => ({ op: 'engine.restart', node: t.node, container_id: t.container_id, grace_s: Number(params.grace_s) })),
    undo: targets.map((t) => ({ op: 'engine.start', node: t.node, container_id: t.container_id })),
    metadata: { grace_s: params.grace_s },
  }),
  baseline: (scene, { targets }, _plan, signal) =>
    watchContainers(
      scene,
      targets,
      {
        seen: (before, now) =>
          before.startedAt !== null && now.startedAt !== null && now.startedAt > before.startedAt && now.state === 'running',
        budgetMs: 3000,
        lastsMs: 0,
      },
      signal,
    ),
  audit: (scene, fault, _undo, signal) => auditRunning(scene, fault, signal),
};
