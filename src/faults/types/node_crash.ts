import type { ChaosType } from '../chaos_type.ts';
import { defaults, noParams } from './defaults.ts';
import { auditRunning, diedSince, stillDeadMs, watchContainers } from './process.ts';

/**
 * SIGKILL to the node's process from the host's side: the engine takes it for a crash, and the restart policy does what it does then. Witness: the container's end with code 137, or a restart since. Undo: have
 * it running.
 */
export const nodeCrash: ChaosType = {
  ...defaults,
  name: 'node_crash',
  summary: 'Kills the node’s process behind the engine’s back, as a crash would; its restart policy applies.',
  paramsSchema: noParams,
  layer: 'process',
  life: 'process',
  needsToolbox: true,
  available: () => ({ available: true, mechanism: 'host_signal' }),
  obstacle: (node) => (node.running ? null : node.paused ? 'it is paused: the signal would wait for the unpause' : 'it does not run'),
  plan: async (_scene, { fault, targets }) => ({
    act: targets.map((t) => ({ op: 'proc.kill', fault, node: t.node, container_id: t.container_id, signal: 'SIGKILL' })),
    undo: targets.map((t) => ({ op: 'engine.start', node: t.node, container_id: t.container_id })),
    metadata: { signal: 'SIGKILL' },
  }),
  baseline: (scene, { targets }, _plan, signal) =>
    watchContainers(
      scene,
      targets,
      {
        seen: (before, now) =>
          (diedSince(before, now) && now.state !== 'running' && now.exitCode === 137) ||
          (now.restartCount > before.restartCount && now.startedAt !== before.startedAt),
        budgetMs: 3000,
        lastsMs: stillDeadMs,
      },
      signal,
    ),
  audit: (scene, fault, _undo, signal) => auditRunning(scene, fault, signal),
};
