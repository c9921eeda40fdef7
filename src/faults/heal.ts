import { EngineError } from '../engine/port.ts';
import { rfc3339 } from '../lib/clock.ts';
import { deadline } from '../lib/until.ts';
import { ToolboxError } from '../toolbox/port.ts';
import type { ChaosType } from './chaos_type.ts';
import type { EndedBy, Fault, FaultRecord, HealResult, Residue } from './fault.ts';
import { undoStep } from './run_step.ts';
import type { Scene } from './scene.ts';
import type { FaultStore } from './store.ts';
import type { Watchdog } from './watchdog.ts';

/** Waits until the nodes are proven healthy again; answers what is still wrong, empty when nothing is. */
export type Recovered = (nodes: readonly string[], signal: AbortSignal) => Promise<Residue[]>;

/** How long connections may stay in back-off: after a long cut the kernel tries again only every two minutes, but systems time their connections out before. */
const settleMs = 45_000;

export interface HealContext {
  /** The chaos type, null when its kind cannot be loaded: then the undo is done, and nothing can be proven. */
  type: ChaosType | null;
  scene: (signal: AbortSignal) => Promise<Scene>;
  hands: Pick<Scene, 'engine' | 'toolbox' | 'clock'>;
  store: FaultStore;
  watchdog: Watchdog;
  recovered: Recovered;
}

/**
 * Undoes a fault and verifies it. Never throws for what it finds: `dirty` names what is left, `unknown` says that it could not be looked at; both leave the fault in state
 * `residue`, to be healed again. Idempotent. Throws only when its end cannot be written to the ledger; the undo was done then.
 */
export async function heal(record: FaultRecord, endedBy: EndedBy, context: HealContext, signal: AbortSignal): Promise<Fault> {
  const { store, hands } = context;
  const { fault } = record;
  // The ledger says `injecting` before anything is done: there is nothing to undo, and nothing that could be looked at.
  const untouched = fault.state === 'planned';
  const failedInjection = fault.state === 'planned' || fault.state === 'injecting';
  fault.state = 'healing';
  fault.ended_by ??= endedBy;
  // What an injection has measured that is being undone is in no other place.
  const { effect, injected_at, mechanism, metadata } = fault;
  const known = { effect, injected_at, mechanism, metadata };
  // The undo is durable since before the act: a ledger that cannot be written now must not keep it from being done.
  await store.set(fault.id, { fault: { ...known, state: fault.state, ended_by: fault.ended_by } }).catch(() => {});
  const began = hands.clock.mono();
  const since = () => Math.round(hands.clock.mono() - began);
  const result: HealResult = { verdict: 'unknown', residue: [], undone_ms: 0, recovered_ms: null };
  try {
    if (!untouched) await undoAll(record, context, signal);
    result.undone_ms = since();
    result.residue = untouched ? [] : await verify(record, context, signal);
    result.verdict = result.residue.length === 0 ? 'clean' : 'dirty';
    if (result.verdict === 'clean') {
      result.recovered_ms = since();
      const ended = await context.watchdog.disarm({ ...record, fence: Math.max(record.fence, store.get(fault.id)?.fence ?? 0) }, signal);
      // Its time was over while this service was away: the watchdog was first. (What another service swept meanwhile was a recovery too.)
      if (ended?.done === true && ended.by === 'watchdog' && endedBy === 'recovery') fault.ended_by = 'watchdog';
    }
  } catch (error) {
    // The engine is gone or the caller gave up: what is left cannot be known now. The service tries again.
    result.verdict = 'unknown';
    result.residue = fault.targets.map((t) => ({ node: t.node, what: `could not be looked at: ${reason(error)}` }));
  }
  if (result.verdict === 'clean') await closeUncovered(store, fault.id, hands.clock.now());
  const state = result.verdict === 'clean' ? (failedInjection && endedBy === 'api' ? 'failed' : 'healed') : 'residue';
  return (await store.set(fault.id, { fault: { ...known, state, ended_by: fault.ended_by, heal: result } })).fault;
}

/** In reverse order of the plan. All are tried, whatever one of them throws; the first failure is thrown then. */
async function undoAll(record: FaultRecord, { hands }: HealContext, signal: AbortSignal): Promise<void> {
  const failures: unknown[] = [];
  for (const step of record.undo.toReversed()) {
    try {
      await undoStep(hands, step, signal);
    } catch (error) {
      failures.push(error);
      if (signal.aborted) break;
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function verify(record: FaultRecord, context: HealContext, signal: AbortSignal): Promise<Residue[]> {
  const { fault, undo } = record;
  if (context.type === null) throw new Error('its kind cannot be loaded, so nothing can be proven');
  const scene = await context.scene(signal);
  const left = await context.type.audit(scene, fault, undo, signal);
  if (left.length > 0) return left;
  const nodes = fault.targets.map((t) => t.node);
  const ill = await context.recovered(nodes, signal);
  if (ill.length > 0) return ill;
  using settling = deadline('connections', settleMs, signal);
  return context.type.settle(await context.scene(signal), fault, undo, settling);
}

/** A burn took the fault away together with its containers: records that. The containers must have been seen to be gone. */
export async function burnt(record: FaultRecord, store: FaultStore, tookMs: number, now: number): Promise<void> {
  await closeUncovered(store, record.fault.id, now);
  const heal: HealResult = { verdict: 'clean', residue: [], undone_ms: tookMs, recovered_ms: null };
  await store.set(record.fault.id, { fault: { state: 'healed', ended_by: record.fault.ended_by ?? 'reset', heal } });
}

/** A time in which it was not in force is over when the fault is. */
async function closeUncovered(store: FaultStore, id: string, now: number): Promise<void> {
  await store.patch(id, ({ fault }) => {
    const open = fault.uncovered.filter((u) => u.until === null);
    for (const u of open) Object.assign(u, { until: rfc3339(now), ms: now - Date.parse(u.from) });
    return open.length > 0;
  });
}

function reason(error: unknown): string {
  if (error instanceof EngineError) return `${error.op} ${error.target}: ${error.message}`;
  if (error instanceof ToolboxError) return `toolbox, ${error.op}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
