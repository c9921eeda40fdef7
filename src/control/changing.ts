import { EngineError } from '../engine/port.ts';
import { isLive } from '../faults/fault.ts';
import { burnt } from '../faults/heal.ts';
import { undoStep } from '../faults/run_step.ts';
import { unknownReport } from '../health/report.ts';
import { nodeNames } from '../kind/subject.ts';
import { Reach } from '../kind/toolkit.ts';
import { rfc3339 } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { allEnded, deadline } from '../lib/until.ts';
import type { SubjectPhase } from './api.ts';
import type { Context } from './context.ts';
import { healOne } from './fault_use.ts';
import type { Host } from './host.ts';
import type { Work } from './operations.ts';

/** What the ledger has while a subject's containers are being changed: after a crash the subject is rolled back to absent. */
export interface ResetRecord {
  subject: string;
  operation: string;
}

/** The subject may be in pieces after a change that failed: its nodes' health is not waited for as long as elsewhere. */
const healReleasedMs = 15_000;

/** Undo steps of what is outside a node, or would be in the way of its removal. */
const heldFromOutside = new Set(['net.clear', 'cgroup.restore', 'memory.release', 'disk.release', 'engine.unpause']);

/**
 * Runs a change of the subject's containers with the ledger, the poller, the phase and the faults kept right around it: `during` while it goes on (from
 * when `change` calls `beforeChange`), `after` when it succeeded, `failed` when it did not. The ledger's record is forgotten last, so that a crash at any
 * moment before is rolled back, as is what was cut off by the service's own stop or by the loss of the engine, of which the record is kept.
 */
export async function changing<T>(
  context: Context,
  host: Host,
  work: Work,
  phases: { during: 'resetting' | 'deleting'; after: SubjectPhase },
  change: (beforeChange: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { subject } = host;
  const began = context.clock.mono();
  let changed = false;
  const beforeChange = async () => {
    const record: ResetRecord = { subject: subject.name, operation: work.id };
    await context.ledger.put('reset', subject.name, record);
    changed = true;
    if (phases.during === 'resetting') host.generation++;
    await setPhase(context, host, phases.during);
    await releaseFaults(context, host, work.signal);
    const nodes = nodeNames(subject).map((name) => ({ name, type: subject.kind.adapter.nodeTypes[name] ?? '' }));
    host.poller.hold(unknownReport(subject.name, nodes, 'down', `The subject is ${phases.during}.`, rfc3339(context.clock.now())));
    // Nothing of the generation before may answer for the new one.
    await host.reach.close();
    host.reach = new Reach(context.engine, context.clock);
    context.events.emit(`subject.${phases.during}`, subject.name, { operation: work.id, generation: host.generation });
  };
  let phase: SubjectPhase = 'failed';
  let interrupted = false;
  try {
    const result = await change(beforeChange);
    phase = phases.after;
    return result;
  } catch (error) {
    interrupted = isStop(work.signal.reason) || isLossOfEngine(error);
    throw error;
  } finally {
    if (changed) {
      host.poller.release();
      try {
        await settleFaults(context, host, Math.round(context.clock.mono() - began));
        if (phase === 'failed' && !interrupted) await healReleased(context, host);
      } catch (error) {
        // The faults stay live; they are looked at when the engine is back, and at their time.
        context.log.warn({ error, subject: subject.name }, 'the faults of the burnt generation could not be settled');
      }
      await setPhase(context, host, phase);
      if (!interrupted) await context.ledger.forget('reset', subject.name);
    }
  }
}

const isStop = (reason: unknown): boolean => reason instanceof Problem && reason.code === 'shutting_down';

const isLossOfEngine = (error: unknown): boolean =>
  (error instanceof EngineError && error.reason === 'unreachable') || (error instanceof Error && isLossOfEngine(error.cause));

/** Faults of a burnt generation (before `generation`; all when it is left out) whose containers are gone went with them. */
export async function settleFaults(context: Context, host: Host, tookMs: number, generation = Number.POSITIVE_INFINITY): Promise<void> {
  using limited = deadline('look at the burnt faults', 10_000);
  for (const record of context.store.live(host.subject.name)) {
    if (record.fault.generation >= generation) continue;
    const left = await Promise.all(record.fault.targets.map((t) => context.engine.inspectContainer(t.container_id, limited)));
    if (left.some((c) => c !== null) || !isLive(record.fault.state)) continue;
    await context.watchdog.disarm(record, limited);
    await burnt(record, context.store, tookMs, context.clock.now());
  }
}

/**
 * Takes off what faults hold from the host's side, before the nodes are removed: a helper in a node's control group would keep the engine from removing it. What cannot be taken off now goes with the nodes, or is found by the
 * look afterwards.
 */
export async function releaseFaults(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  using limited = deadline('releasing faults before a burn', 5000, signal);
  const steps = context.store.live(host.subject.name).flatMap((r) => r.undo.filter((s) => heldFromOutside.has(s.op)));
  const results = await Promise.allSettled(steps.map((step) => undoStep(context, step, limited)));
  signal.throwIfAborted();
  for (const result of results) {
    if (result.status === 'rejected')
      context.log.warn({ error: result.reason, subject: host.subject.name }, 'a fault could not be taken off before the burn');
  }
}

/** A change that failed has taken these faults off and left their containers: they are not in force any more, and may not say so. */
async function healReleased(context: Context, host: Host): Promise<void> {
  using limited = deadline('healing what was taken off', healReleasedMs);
  const released = context.store.live(host.subject.name).filter((r) => r.undo.some((s) => heldFromOutside.has(s.op)));
  await allEnded(released.map((r) => healOne(context, host, r.fault.id, 'reset', limited)));
}

/** Durable when it resolves. */
export async function setPhase(context: Context, host: Host, phase: SubjectPhase): Promise<void> {
  host.phase = phase;
  await context.ledger.put('subject', host.subject.name, host.record);
}
