import { rfc3339 } from '../lib/clock.ts';
import { newId } from '../lib/id.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosType, Plan, Witness } from './chaos_type.ts';
import { type Fault, type FaultRecord, type OnTargetRestart, startsOf } from './fault.ts';
import { runStep } from './run_step.ts';
import type { Scene } from './scene.ts';
import type { FaultStore } from './store.ts';
import type { Choice } from './target.ts';
import type { Watchdog } from './watchdog.ts';

/** An injection whose targets are chosen and whose parameters are checked. */
export interface Injection {
  id: string;
  subject: string;
  generation: number;
  type: ChaosType;
  mechanism: string;
  choice: Choice;
  params: Record<string, unknown>;
  seed: number;
  ttlMs: number;
  requireEffect: boolean;
  onTargetRestart: OnTargetRestart;
}

export interface InjectContext {
  scene: Scene;
  store: FaultStore;
  watchdog: Watchdog;
  /** Heals the record after an injection that did not work out; must never throw. */
  undo: (record: FaultRecord) => Promise<Fault>;
}

export function newFaultId(): string {
  return newId('flt');
}

/** The steps and undo steps of an injection; throws Problems for what cannot be done. */
export function planOf(scene: Scene, { type, choice, params, id }: Injection, signal: AbortSignal): Promise<Plan> {
  return type.plan(scene, { fault: id, targets: choice.targets, params }, signal);
}

/**
 * Injects: the undo made durable here and handed to the watchdog while the baseline is measured, then the act, then the witness. Answers the active fault. What cannot be planned throws before anything is stored. An act that fails half
 * way, an effect that is required and not observed, and a cancelled call are undone.
 */
export async function inject(injection: Injection, context: InjectContext, signal: AbortSignal): Promise<Fault> {
  const { scene, store, watchdog } = context;
  const { type } = injection;
  const plan = await planOf(scene, injection, signal);
  const record: FaultRecord = {
    fault: plannedFault(injection, plan, scene.clock.now()),
    act: plan.act,
    undo: plan.undo,
    fence: 1,
    // Of the look by which they were chosen: a restart since then is noticed too.
    ...(type.life === 'volatile' ? { startedAt: startsOf(scene.nodes, injection.choice.targets) } : {}),
  };
  await store.save(record);
  let begun = false;
  try {
    const injected = { fault: record.fault.id, targets: injection.choice.targets, params: injection.params };
    const [guarded, witness] = await Promise.all([
      watchdog.arm(record, injection.ttlMs, type.needsToolbox, signal),
      type.baseline(scene, injected, plan, signal),
    ]);
    record.fault.guarded = guarded;
    record.fault.state = 'injecting';
    await store.set(record.fault.id, { fault: { guarded, state: 'injecting' } });
    begun = true;
    await act(record, plan, witness, scene, signal);
    if (record.fault.effect?.verdict !== 'not_observed' || !injection.requireEffect) {
      const { effect, injected_at, mechanism, metadata } = record.fault;
      return (await store.set(record.fault.id, { fault: { effect, injected_at, mechanism, metadata, state: 'active' } })).fault;
    }
  } catch (error) {
    record.fault.state = begun ? 'injecting' : 'planned';
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

async function act(record: FaultRecord, plan: Plan, witness: Witness, scene: Scene, signal: AbortSignal): Promise<void> {
  const began = scene.clock.mono();
  const beganAt = rfc3339(scene.clock.now());
  const facts = await runAll(record, plan, scene, signal);
  const { verdict, evidence, observedAt } = await witness.judge(facts, signal);
  const ago = observedAt === undefined ? 0 : scene.clock.mono() - observedAt;
  const observed_ms = Math.round(scene.clock.mono() - ago - began);
  record.fault.effect = { verdict, observed_ms, between: [beganAt, rfc3339(scene.clock.now() - ago)], evidence };
  record.fault.injected_at = beganAt;
}

/** Carries out a plan's acts at once and notes the mechanism that was really used. All have ended when it answers or throws. */
export async function runAll(record: FaultRecord, plan: Plan, scene: Scene, signal: AbortSignal): Promise<Record<string, unknown>[]> {
  const armed = { fault: record.fault.id, fence: record.fence };
  const results = await Promise.allSettled(plan.act.map((step) => runStep(scene, armed, step, signal)));
  const failed = results.find((r) => r.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const facts = results.map((r) => (r.status === 'fulfilled' ? r.value : {}));
  const first = facts[0];
  if (typeof first?.mechanism === 'string') record.fault.mechanism = first.mechanism;
  if (Array.isArray(first?.interfaces)) record.fault.metadata.interface = first.interfaces[0] ?? null;
  return facts;
}

function plannedFault(injection: Injection, plan: Plan, now: number): Fault {
  const { id, subject, generation, type, mechanism, choice, params, seed, ttlMs, onTargetRestart } = injection;
  return {
    id,
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
    // What the original contract's metadata has for every chaos type, and this one's own.
    metadata: { fault_id: id, chaos_type: type.name, target_container: choice.targets[0]?.container ?? null, ...plan.metadata },
    on_target_restart: onTargetRestart,
    uncovered: [],
  };
}

function names(fault: Fault): string {
  return fault.targets.map((t) => t.node).join(', ');
}
