import { EngineError } from '../engine/port.ts';
import type { Probe } from './chaos_type.ts';
import type { EndedBy, Fault, FaultRecord, HealResult } from './fault.ts';
import { chaosType } from './registry.ts';
import { undoStep } from './run_step.ts';
import type { FaultStore } from './store.ts';

/** Waits until the nodes are proven healthy again; answers what is still wrong, empty when nothing is. */
export type Recovered = (nodes: readonly string[], signal: AbortSignal) => Promise<{ node: string; what: string }[]>;

/**
 * Undoes a fault and verifies it. Never throws for what it finds: `dirty` names what is left, `unknown` says that it could not be looked at; both leave the fault in state
 * `residue`, to be healed again. Idempotent. Throws only when its end cannot be written to the ledger; the undo was done then.
 */
export async function heal(
  record: FaultRecord,
  endedBy: EndedBy,
  context: { probe: Probe; store: FaultStore; recovered: Recovered },
  signal: AbortSignal,
): Promise<Fault> {
  const { probe, store } = context;
  const { fault } = record;
  const failedInjection = fault.state === 'planned' || fault.state === 'injecting';
  fault.state = 'healing';
  fault.ended_by ??= endedBy;
  // The undo is durable since before the act: a ledger that cannot be written now must not keep it from being done.
  await store.save(record).catch(() => {});
  const began = probe.clock.mono();
  const since = () => Math.round(probe.clock.mono() - began);
  const result: HealResult = { verdict: 'unknown', residue: [], undone_ms: 0, recovered_ms: null };
  try {
    for (const step of record.undo.toReversed()) await undoStep(probe.engine, step, signal);
    result.undone_ms = since();
    result.residue = await chaosType(fault.chaos_type).audit(probe, fault, signal);
    if (result.residue.length === 0)
      result.residue = await context.recovered(
        fault.targets.map((t) => t.node),
        signal,
      );
    result.verdict = result.residue.length === 0 ? 'clean' : 'dirty';
    if (result.verdict === 'clean') result.recovered_ms = since();
  } catch (error) {
    // The engine is gone or the caller gave up: what is left cannot be known now. The service tries again.
    result.verdict = 'unknown';
    result.residue = fault.targets.map((t) => ({ node: t.node, what: `could not be looked at: ${reason(error)}` }));
  }
  fault.heal = result;
  fault.state = result.verdict === 'clean' ? (failedInjection && endedBy === 'api' ? 'failed' : 'healed') : 'residue';
  await store.save(record);
  return fault;
}

/** A burn took the fault away together with its containers: records that. The containers must have been seen to be gone. */
export async function burnt(record: FaultRecord, store: FaultStore, tookMs: number): Promise<void> {
  record.fault.state = 'healed';
  record.fault.ended_by ??= 'reset';
  record.fault.heal = { verdict: 'clean', residue: [], undone_ms: tookMs, recovered_ms: null };
  await store.save(record);
}

function reason(error: unknown): string {
  if (error instanceof EngineError) return `${error.op} ${error.target}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
