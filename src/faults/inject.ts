import { rfc3339 } from '../lib/clock.ts';
import { newId } from '../lib/id.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosType, Plan, Probe } from './chaos_type.ts';
import type { Fault, FaultRecord } from './fault.ts';
import { runStep } from './run_step.ts';
import type { FaultStore } from './store.ts';
import type { Choice } from './target.ts';

/** An injection whose targets are chosen and whose parameters are checked. */
export interface Injection {
  subject: string;
  generation: number;
  type: ChaosType;
  mechanism: string;
  choice: Choice;
  params: Record<string, unknown>;
  seed: number;
  ttlMs: number;
  requireEffect: boolean;
}

/**
 * Injects: the undo made durable, the baseline measured, the act done, the effect witnessed. Answers the active fault. `undo` is called when the act fails half way,
 * when the effect is not observed and required, and when the call is cancelled; it must heal the record and never throw.
 */
export async function inject(
  injection: Injection,
  context: { probe: Probe; store: FaultStore; undo: (record: FaultRecord) => Promise<Fault> },
  signal: AbortSignal,
): Promise<Fault> {
  const { probe, store } = context;
  const { type, choice, params } = injection;
  const plan = type.plan(choice.targets, params);
  const record: FaultRecord = { fault: plannedFault(injection, probe.clock.now()), undo: plan.undo };
  record.fault.metadata = { ...metadata(record.fault), ...type.metadata(record.fault) };
  await store.save(record);
  try {
    const witness = await type.baseline(probe, choice.targets, signal);
    record.fault.state = 'injecting';
    await store.save(record);
    await act(record, plan, witness, context, signal);
    if (record.fault.effect?.verdict !== 'not_observed' || !injection.requireEffect) {
      record.fault.state = 'active';
      await store.save(record);
      return record.fault;
    }
  } catch (error) {
    record.fault.state = 'injecting';
    const healed = await context.undo(record);
    if (error instanceof Problem) throw new Problem(error.code, error.message, { ...error.extra, fault: healed }, { cause: error });
    throw error;
  }
  const healed = await context.undo(record);
  throw new Problem(
    'effect_not_observed',
    `${type.name} on ${names(record.fault)} had no observable effect; it was undone (${healed.heal?.verdict ?? 'unknown'}).`,
    {
      fault: healed,
      effect: record.fault.effect,
    },
  );
}

async function act(
  record: FaultRecord,
  plan: Plan,
  witness: Awaited<ReturnType<ChaosType['baseline']>>,
  { probe }: { probe: Probe },
  signal: AbortSignal,
): Promise<void> {
  const began = probe.clock.mono();
  const beganAt = rfc3339(probe.clock.now());
  await Promise.all(plan.act.map((step) => runStep(probe.engine, step, signal)));
  const { verdict, evidence } = await witness.judge(signal);
  const endedAt = rfc3339(probe.clock.now());
  record.fault.effect = { verdict, observed_ms: Math.round(probe.clock.mono() - began), between: [beganAt, endedAt], evidence };
  record.fault.injected_at = beganAt;
}

function plannedFault({ subject, generation, type, mechanism, choice, params, seed, ttlMs }: Injection, now: number): Fault {
  return {
    id: newId('flt'),
    subject,
    generation,
    chaos_type: type.name,
    state: 'planned',
    seed,
    targets: choice.targets,
    selection: choice.selection,
    params,
    mechanism,
    effect: null,
    injected_at: null,
    expires_at: rfc3339(now + ttlMs),
    guarded: false,
    ended_by: null,
    heal: null,
    metadata: {},
  };
}

/** What the original contract's metadata has for every chaos type. */
function metadata(fault: Fault): Record<string, unknown> {
  return { fault_id: fault.id, chaos_type: fault.chaos_type, target_container: fault.targets[0]?.container ?? null };
}

function names(fault: Fault): string {
  return fault.targets.map((t) => t.node).join(', ');
}
