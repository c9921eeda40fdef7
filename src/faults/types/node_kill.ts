import type { ChaosType } from '../chaos_type.ts';
import { byEngine, defaults } from './defaults.ts';
import { auditRunning, diedSince, stillDeadMs, watchContainers } from './process.ts';

/** A process ends at once by these; the others it may handle in its own time, or ignore. */
const signals = { SIGKILL: 137, SIGTERM: 143, SIGINT: 130, SIGQUIT: 131, SIGABRT: 134, SIGSEGV: 139 } as const;

/**
 * A signal through the engine, which counts it as a manual stop: no restart policy revives the node. Witness: the container's state, its exit code and the
 * time of its end, and that it stays so. Undo: start it again.
 */
export const nodeKill: ChaosType = {
  ...defaults,
  name: 'node_kill',
  summary: 'Kills the node’s main process; the node stays dead until it is healed.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { signal: { type: 'string', enum: Object.keys(signals), default: 'SIGKILL', description: 'Signal to send.' } },
  },
  layer: 'process',
  life: 'process',
  needsToolbox: false,
  available: byEngine,
  plan: async (_scene, { targets, params }) => ({
    act: targets.map((t) => ({ op: 'engine.kill', node: t.node, container_id: t.container_id, signal: String(params.signal) })),
    undo: targets.map((t) => ({ op: 'engine.start', node: t.node, container_id: t.container_id })),
    metadata: { signal: params.signal },
  }),
  baseline: (scene, { targets, params }, _plan, signal) => {
    const killed = params.signal === 'SIGKILL';
    return watchContainers(
      scene,
      targets,
      {
        // A program that handles the signal chooses its exit code itself.
        seen: (before, now) => diedSince(before, now) && now.state === 'exited' && (!killed || now.exitCode === signals.SIGKILL),
        budgetMs: killed ? 2000 : 15_000,
        lastsMs: stillDeadMs,
      },
      signal,
    );
  },
  audit: (scene, fault, _undo, signal) => auditRunning(scene, fault, signal),
};
