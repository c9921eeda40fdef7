import { isLive } from '../faults/fault.ts';
import { burnt } from '../faults/heal.ts';
import { unknownReport } from '../health/report.ts';
import { observe } from '../kind/observe.ts';
import { nodeNames } from '../kind/subject.ts';
import { Reach } from '../kind/toolkit.ts';
import { rfc3339 } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { DeadlineError, deadline } from '../lib/until.ts';
import { lastLines } from '../reset/ready.ts';
import { burnSubject, resetSubject } from '../reset/reset.ts';
import type { ResetResult, Running, SubjectPhase, SubjectView } from './api.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';
import { toProblem, type Work } from './operations.ts';
import { type Registry, resolveFor } from './registry.ts';
import { subjectView } from './views.ts';

const defaultTimeoutMs = 120_000;
const burnMs = 60_000;

/** What the ledger has while a subject is being changed: after a crash it is rolled back to absent. */
export interface ResetRecord {
  subject: string;
  operation: string;
}

/** Resets a subject to a clean, proven-healthy state. */
export function resetUse(context: Context, host: Host, timeoutMs = defaultTimeoutMs): Running {
  return host.exclusive('reset', async (work): Promise<ResetResult> => {
    const began = context.clock.mono();
    using limited = deadline(`reset of ${host.subject.name}`, timeoutMs, work.signal);
    try {
      const notes = await fileNotes(context, host);
      const outcome = await changing(context, host, work, 'resetting', (beforeChange) =>
        resetSubject(
          context.reset,
          host.subject,
          host.generation + 1,
          { onStep: (step) => work.phase(`${step.phase}: ${step.id}`), beforeChange },
          limited,
        ),
      );
      work.done(outcome.phases);
      work.phase('prove');
      const provedFrom = context.clock.mono();
      const report = await host.poller.wait((r) => r.healthy, timeoutMs, limited);
      if (!report.healthy) throw await notHealthy(context, host, timeoutMs);
      const prove = { name: 'prove', duration_ms: Math.round(context.clock.mono() - provedFrom) };
      work.done([prove]);
      await setPhase(context, host, 'running');
      const phases = [...outcome.phases, prove];
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
      if (host.phase === 'resetting') await setPhase(context, host, 'failed');
      context.events.emit('reset.failed', host.subject.name, { operation: work.id, code: problem.code, detail: problem.message });
      throw problem.code === 'internal' ? error : problem;
    }
  });
}

/** Tears a subject down without residue; a copy leaves the list. */
export function deleteUse(context: Context, registry: Registry, host: Host): Running {
  return host.exclusive('delete', async (work): Promise<SubjectView> => {
    using limited = deadline(`tear-down of ${host.subject.name}`, burnMs, work.signal);
    await changing(context, host, work, 'deleting', async (beforeChange) => {
      await beforeChange();
      await burnSubject(context.reset, host.subject, (step) => work.phase(step.id), limited);
    });
    await setPhase(context, host, 'absent');
    await registry.drop(host);
    context.events.emit('subject.deleted', host.subject.name, { operation: work.id });
    return { ...subjectView(host, [], [], context.advertiseHost), operation: null };
  });
}

/** Rolls a reset or a tear-down that a crash cut off back to nothing. */
export async function rollBack(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  using limited = deadline(`roll-back of ${host.subject.name}`, burnMs, signal);
  await burnSubject(context.reset, host.subject, () => {}, limited);
  await settleFaults(context, host, 0, limited);
  await setPhase(context, host, 'absent');
  await context.ledger.forget('reset', host.subject.name);
  context.events.emit('reset.rolled_back', host.subject.name, {});
}

/** Runs a change of the subject's containers with the ledger, the poller and the faults kept right around it. */
async function changing<T>(
  context: Context,
  host: Host,
  work: Work,
  phase: SubjectPhase,
  change: (beforeChange: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { subject } = host;
  const began = context.clock.mono();
  let changed = false;
  const beforeChange = async () => {
    const record: ResetRecord = { subject: subject.name, operation: work.id };
    await context.ledger.put('reset', subject.name, record);
    changed = true;
    if (phase === 'resetting') host.generation++;
    await setPhase(context, host, phase);
    const nodes = nodeNames(subject).map((name) => ({ name, type: subject.kind.adapter.nodeTypes[name] ?? '' }));
    host.poller.hold(unknownReport(subject.name, nodes, 'down', `The subject is ${phase}.`, rfc3339(context.clock.now())));
    // Nothing of the generation before may answer for the new one.
    await host.reach.close();
    host.reach = new Reach(context.engine, context.clock);
    context.events.emit(`subject.${phase}`, subject.name, { operation: work.id, generation: host.generation });
  };
  try {
    return await change(beforeChange);
  } finally {
    if (changed) {
      try {
        using limited = deadline('look at the burnt faults', 10_000);
        await settleFaults(context, host, Math.round(context.clock.mono() - began), limited);
      } catch (error) {
        // The faults stay live and are healed when the engine is back.
        context.log.warn({ error, subject: subject.name }, 'the faults of the burnt generation could not be settled');
      }
      await context.ledger.forget('reset', subject.name);
      host.poller.release();
    }
  }
}

/** Faults whose containers are gone went with them. */
async function settleFaults(context: Context, host: Host, tookMs: number, signal: AbortSignal): Promise<void> {
  for (const record of context.store.live(host.subject.name)) {
    const left = await Promise.all(record.fault.targets.map((t) => context.engine.inspectContainer(t.container_id, signal)));
    if (left.every((c) => c === null) && isLive(record.fault.state)) await burnt(record, context.store, tookMs);
  }
}

export async function setPhase(context: Context, host: Host, phase: SubjectPhase): Promise<void> {
  host.phase = phase;
  await context.ledger.put('subject', host.subject.name, host.record);
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
    return toProblem(error);
  }
}

function measure(context: Context, host: Host, durationMs: number, phases: ResetResult['phases']): void {
  const kind = host.subject.kind.name;
  context.metrics.reset.observe({ kind }, durationMs / 1000);
  for (const { name, duration_ms } of phases) context.metrics.resetPhase.observe({ kind, phase: name }, duration_ms / 1000);
}
