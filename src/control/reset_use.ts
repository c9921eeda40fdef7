import { observe } from '../kind/observe.ts';
import { Problem } from '../lib/problem.ts';
import { DeadlineError, deadline } from '../lib/until.ts';
import { lastLines } from '../reset/ready.ts';
import { resetSubject } from '../reset/reset.ts';
import type { PlanStep } from '../reset/step.ts';
import type { ResetResult, Running } from './api.ts';
import { changing } from './changing.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';
import { resolveFor } from './registry.ts';
import { toProblem } from './to_problem.ts';

const defaultTimeoutMs = 120_000;
const pullMs = 300_000;

/** Resets a subject to a clean, proven-healthy state. */
export function resetUse(context: Context, host: Host, timeoutMs = defaultTimeoutMs): Running {
  return host.exclusive('reset', async (work): Promise<ResetResult> => {
    // A first pull may take minutes that say nothing about the system's health: it is not in the reset's time.
    work.phase('images');
    await context.reset.pins.resolve(host.subject, pullMs, work.signal);
    const began = context.clock.mono();
    using limited = deadline(`reset of ${host.subject.name}`, timeoutMs, work.signal);
    try {
      const notes = await fileNotes(context, host);
      const prove = async (signal: AbortSignal): Promise<void> => {
        work.phase('prove');
        host.poller.release();
        const report = await host.poller.wait((r) => r.healthy, timeoutMs, signal);
        if (!report.healthy) throw await notHealthy(context, host, timeoutMs);
      };
      const outcome = await changing(context, host, work, { during: 'resetting', after: 'running' }, (beforeChange) => {
        const onStep = (step: PlanStep) => work.phase(`${step.phase}: ${step.id}`);
        return resetSubject(context.reset, host.subject, host.generation + 1, { onStep, beforeChange, prove }, limited);
      });
      work.done(outcome.phases);
      const { phases } = outcome;
      const durationMs = Math.round(context.clock.mono() - began);
      measure(context, host, durationMs, phases);
      const result: ResetResult = {
        operation: work.id,
        subject: host.subject.name,
        generation: host.generation,
        healthy: true,
        duration_ms: durationMs,
        phases,
        notes: [...notes, ...outcome.notes],
      };
      context.events.emit('reset.succeeded', host.subject.name, {
        operation: work.id,
        generation: host.generation,
        duration_ms: durationMs,
        notes: result.notes,
      });
      return result;
    } catch (error) {
      const late = limited.aborted && limited.reason instanceof DeadlineError && !work.signal.aborted;
      const problem = late ? await notHealthy(context, host, timeoutMs) : toProblem(work.signal.aborted ? work.signal.reason : error);
      context.events.emit('reset.failed', host.subject.name, { operation: work.id, code: problem.code, detail: problem.message });
      throw problem.code === 'internal' ? error : problem;
    }
  });
}

/** Tells when the compose file is not any more what the service loaded; the loaded one is used. */
async function fileNotes(context: Context, host: Host): Promise<string[]> {
  const { kind, name, portShift, project } = host.subject;
  try {
    const now = await resolveFor(context, kind, name, portShift);
    return now.hash === project.hash
      ? []
      : ['The compose file changed since the service loaded it; the loaded one was used. Restart the service to accept the change.'];
  } catch (error) {
    return [`The compose file cannot be read any more (${toProblem(error).message}); the loaded one was used.`];
  }
}

async function notHealthy(context: Context, host: Host, timeoutMs: number): Promise<Problem> {
  using limited = deadline('last log lines', 5000);
  const report = host.poller.latest;
  try {
    const observed = await observe(context.engine, context.owner, host.subject, limited);
    const ill = observed.filter((o) => o.type !== null && report.nodes.find((n) => n.name === o.service)?.health !== 'up');
    const nodes = await Promise.all(
      ill.map(async (o) => ({
        name: o.service,
        state: o.detail?.state ?? 'absent',
        health: report.nodes.find((n) => n.name === o.service)?.health ?? 'unknown',
        logs: o.detail === null ? [] : await lastLines(context.engine, o.detail.id, limited),
      })),
    );
    return new Problem('not_healthy', `${host.subject.name} was not healthy within ${timeoutMs} ms: ${report.issues.join('; ')}`, {
      nodes,
      issues: report.issues,
    });
  } catch (error) {
    // Why it cannot be looked at now says more than the time-out.
    return toProblem(error);
  }
}

function measure(context: Context, host: Host, durationMs: number, phases: ResetResult['phases']): void {
  const kind = host.subject.kind.name;
  context.metrics.reset.observe({ kind }, durationMs / 1000);
  for (const { name, duration_ms } of phases) context.metrics.resetPhase.observe({ kind, phase: name }, duration_ms / 1000);
}
