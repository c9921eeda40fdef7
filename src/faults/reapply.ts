import { isDeepStrictEqual } from 'node:util';
import type { ChaosType, Plan } from './chaos_type.ts';
import type { Effect, FaultRecord } from './fault.ts';
import { runAll } from './inject.ts';
import type { Scene } from './scene.ts';
import type { FaultStore } from './store.ts';
import type { Watchdog } from './watchdog.ts';

/** What would be done now for a fault that is active: nodes may have new processes and addresses. Null when it is in force as it is. */
export async function changedPlan(type: ChaosType, scene: Scene, record: FaultRecord, signal: AbortSignal): Promise<Plan | null> {
  const { fault } = record;
  const plan = await type.plan(scene, { fault: fault.id, targets: fault.targets, params: fault.params }, signal);
  return isDeepStrictEqual(plan.act, record.act) ? null : plan;
}

/** Puts an active fault back: the new undo durable first, then the act, then the witness. Answers its verdict. */
export async function reapply(
  record: FaultRecord,
  plan: Plan,
  context: { type: ChaosType; scene: Scene; store: FaultStore; watchdog: Watchdog; leftMs: number },
  signal: AbortSignal,
): Promise<Effect['verdict']> {
  const { type, scene, store, watchdog } = context;
  const { fault } = record;
  record.undo = merged(record.undo, plan.undo);
  record.act = plan.act;
  await store.patch(fault.id, (now) => {
    record.fence = now.fence + 1;
    Object.assign(now, { act: record.act, undo: record.undo, fence: record.fence });
  });
  fault.guarded = await watchdog.arm(record, context.leftMs, type.needsToolbox, signal);
  const witness = await type.baseline(scene, { fault: fault.id, targets: fault.targets, params: fault.params }, plan, signal);
  const facts = await runAll(record, plan, scene, signal);
  const { verdict } = await witness.judge(facts, signal);
  return verdict;
}

/** What was touched before must still be undone; the same step is kept once. */
function merged(old: FaultRecord['undo'], now: FaultRecord['undo']): FaultRecord['undo'] {
  return [...now, ...old.filter((o) => !now.some((n) => isDeepStrictEqual(n, o)))];
}
