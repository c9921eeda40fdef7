import type { ContainerDetail } from '../../engine/port.ts';
import { rfc3339 } from '../../lib/clock.ts';
import { DeadlineError, deadline, pause, until } from '../../lib/until.ts';
import type { Judgement, Witness } from '../chaos_type.ts';
import type { Evidence, Fault, FaultTarget, Residue } from '../fault.ts';
import type { Scene } from '../scene.ts';

const lookEveryMs = 10;

/** What the witness of a fault in a node's process waits for. */
export interface Expected {
  /** True once the container shows the effect; it is compared with how it was before. */
  seen(before: ContainerDetail, now: ContainerDetail): boolean;
  /** How long the effect may take. */
  budgetMs: number;
  /** How long after the engine showed it it is looked at again; 0: not. */
  lastsMs: number;
}

/**
 * Who wants to start a dead container waits for the engine as we do: it holds the container until its networks are taken down. So the first answer may come
 * before such a start; one that is asked for this much later comes after it, and shows the node running.
 */
export const stillDeadMs = 50;

/** Watches the targets' containers from before the act until each shows what is expected, and looks again after a while: what somebody undoes at once is no effect. */
export async function watchContainers(
  scene: Scene,
  targets: readonly FaultTarget[],
  expected: Expected,
  signal: AbortSignal,
): Promise<Witness> {
  const before = await Promise.all(targets.map((t) => scene.engine.inspectContainer(t.container_id, signal)));
  const since = scene.clock.mono();
  return {
    judge: async (_facts, judging): Promise<Judgement> => {
      const seen = await Promise.all(targets.map((t, i) => watch(scene, t, before[i] ?? null, expected, judging)));
      const evidence = seen.map((s) => s.evidence);
      if (!seen.every((s) => s.there)) return { verdict: 'not_observed', evidence };
      return { verdict: 'confirmed', evidence, observedAt: Math.max(...seen.map((s) => toldAt(scene, s.after, since))) };
    },
  };
}

/** When the engine told of the end that was then seen to last; where it did not (a restart), now. */
function toldAt({ deaths, clock }: Scene, after: ContainerDetail | null, since: number): number {
  const death = after === null || after.state === 'running' ? null : deaths.of(after.id);
  return death !== null && death.toldAt >= since && death.exitCode === after?.exitCode ? death.toldAt : clock.mono();
}

async function watch(
  scene: Scene,
  target: FaultTarget,
  before: ContainerDetail | null,
  expected: Expected,
  signal: AbortSignal,
): Promise<{ there: boolean; after: ContainerDetail | null; evidence: Evidence }> {
  using limited = deadline('effect', expected.budgetMs, signal);
  const look = (s: AbortSignal) => scene.engine.inspectContainer(target.container_id, s);
  const shows = (now: ContainerDetail | null) => before !== null && now !== null && expected.seen(before, now);
  let after: ContainerDetail | null = null;
  try {
    after = await until(
      async () => {
        const now = await look(limited);
        return shows(now) ? now : undefined;
      },
      lookEveryMs,
      limited,
    );
    if (expected.lastsMs > 0) {
      await pause(expected.lastsMs, limited);
      after = await look(limited);
    }
  } catch (error) {
    if (!(error instanceof DeadlineError) || signal.aborted) throw error;
    after = await look(signal);
  }
  return { there: shows(after), after, evidence: evidenceOf(target, before, after) };
}

function evidenceOf(target: FaultTarget, before: ContainerDetail | null, after: ContainerDetail | null): Evidence {
  return {
    check: 'container_state',
    node: target.node,
    before: before?.state ?? 'absent',
    after: after?.state ?? 'absent',
    exit_code: after?.exitCode ?? null,
    finished_at: after?.finishedAt == null ? null : rfc3339(after.finishedAt),
    restarted: after !== null && before !== null && after.startedAt !== before.startedAt,
    restart_count_before: before?.restartCount ?? null,
    restart_count: after?.restartCount ?? null,
  };
}

/** An exit that was there before the act proves nothing: its time of end must have moved. */
export function diedSince(before: ContainerDetail, now: ContainerDetail): boolean {
  return before.state === 'running' && now.finishedAt !== null && now.finishedAt !== before.finishedAt;
}

/** The nodes must run again. One that its restart policy is about to start does so soon, or the proof of health that follows tells. */
export async function auditRunning(scene: Scene, fault: Fault, signal: AbortSignal): Promise<Residue[]> {
  const left = await Promise.all(
    fault.targets.map(async (t) => {
      const container = await scene.engine.inspectContainer(t.container_id, signal);
      if (container === null) return [{ node: t.node, what: 'its container is gone; reset the subject' }];
      return container.state === 'running' || container.state === 'restarting'
        ? []
        : [{ node: t.node, what: `its container is ${container.state}` }];
    }),
  );
  return left.flat();
}
