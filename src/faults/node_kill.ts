import type { ContainerDetail } from '../engine/port.ts';
import { rfc3339 } from '../lib/clock.ts';
import { DeadlineError, deadline, pause, until } from '../lib/until.ts';
import type { ChaosType, Probe } from './chaos_type.ts';
import type { Evidence, FaultTarget } from './fault.ts';

/** Time for the process to be gone. SIGKILL is immediate; the engine needs some tens of milliseconds to see it. */
const budgetMs = 2000;
/** A kill that is undone at once is no effect: the node must still be dead this long after its end. The engine itself takes longer than this to tell. */
const staysDeadMs = 60;

/**
 * SIGKILL through the engine, which counts it as a manual stop: no restart policy revives the node. Witness: the container's state, its exit code 137 and the
 * time of its end, and that it stays so. Undo: start it again.
 */
export const nodeKill: ChaosType = {
  name: 'node_kill',
  summary: 'Kills the node’s main process; the node stays dead until it is healed.',
  paramsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { signal: { type: 'string', enum: ['SIGKILL'], default: 'SIGKILL', description: 'Signal to send.' } },
  },
  available: async () => ({ available: true, mechanism: 'engine' }),
  eligible: (node) => node.running,
  plan: (targets, params) => ({
    act: targets.map((t) => ({ op: 'engine.kill', node: t.node, container_id: t.container_id, signal: String(params.signal) })),
    undo: targets.map((t) => ({ op: 'engine.start', node: t.node, container_id: t.container_id })),
  }),
  baseline: async (probe, targets, signal) => {
    const before = await Promise.all(targets.map((t) => probe.engine.inspectContainer(t.container_id, signal)));
    return {
      judge: async (judging) => {
        const seen = await Promise.all(targets.map((t, i) => watchDeath(probe, t, before[i] ?? null, judging)));
        return { verdict: seen.every((s) => s.dead) ? 'confirmed' : 'not_observed', evidence: seen.map((s) => s.evidence) };
      },
    };
  },
  audit: async (probe, fault, signal) => {
    const left = await Promise.all(
      fault.targets.map(async (t) => {
        const container = await probe.engine.inspectContainer(t.container_id, signal);
        if (container === null) return [{ node: t.node, what: 'its container is gone; reset the subject' }];
        return container.state === 'running' ? [] : [{ node: t.node, what: `its container is ${container.state}` }];
      }),
    );
    return left.flat();
  },
  metadata: (fault) => ({ signal: fault.params.signal }),
};

async function watchDeath(
  probe: Probe,
  target: FaultTarget,
  before: ContainerDetail | null,
  signal: AbortSignal,
): Promise<{ dead: boolean; evidence: Evidence }> {
  using limited = deadline('death', budgetMs, signal);
  let after: ContainerDetail | null = null;
  try {
    after = await until(
      async () => {
        const now = await probe.engine.inspectContainer(target.container_id, limited);
        return diedSince(before, now) ? (now ?? undefined) : undefined;
      },
      10,
      limited,
    );
    const deadFor = probe.clock.now() - (after.finishedAt ?? 0);
    if (deadFor < staysDeadMs) {
      await pause(staysDeadMs - Math.max(0, deadFor), limited);
      after = await probe.engine.inspectContainer(target.container_id, limited);
    }
  } catch (error) {
    if (!(error instanceof DeadlineError) || signal.aborted) throw error;
    after = await probe.engine.inspectContainer(target.container_id, signal);
  }
  const dead = diedSince(before, after) && after?.state === 'exited' && after.exitCode === 137;
  return {
    dead,
    evidence: {
      check: 'container_state',
      node: target.node,
      before: before?.state ?? 'absent',
      after: after?.state ?? 'absent',
      exit_code: after?.exitCode ?? null,
      finished_at: after?.finishedAt == null ? null : rfc3339(after.finishedAt),
      restarted: after !== null && before !== null && after.startedAt !== before.startedAt,
    },
  };
}

/** An exit that was there before the act proves nothing: its time of end must have moved. */
function diedSince(before: ContainerDetail | null, now: ContainerDetail | null): boolean {
  return now !== null && before?.state === 'running' && now.finishedAt !== null && now.finishedAt !== before.finishedAt;
}
