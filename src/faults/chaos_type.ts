import type { Engine } from '../engine/port.ts';
import type { Node } from '../kind/adapter.ts';
import type { Clock } from '../lib/clock.ts';
import type { Effect, Fault, FaultTarget } from './fault.ts';
import type { Step } from './step.ts';

/** What a chaos type may use while it measures. It changes nothing itself: steps do. */
export interface Probe {
  engine: Engine;
  clock: Clock;
}

export type Availability = { available: true; mechanism: string } | { available: false; reason: string; detail: string };

/** What will be done, and how it is undone. All data. */
export interface Plan {
  act: Step[];
  undo: Step[];
}

/** The measurement that tells whether the fault took hold. */
export interface Witness {
  /** Measures after the act and judges. Must end within a few hundred milliseconds when the effect is there. */
  judge(signal: AbortSignal): Promise<Pick<Effect, 'verdict' | 'evidence'>>;
}

/**
 * One way of disturbing a subject. To add one: write a file like `node_kill.ts` and name it in `registry.ts`. Whatever it does to the outside goes through
 * steps, so that the ledger can undo it without this code.
 */
export interface ChaosType {
  readonly name: string;
  /** One line for the catalogue. */
  readonly summary: string;
  /** JSON Schema of `params`, with defaults; unknown parameters are refused. */
  readonly paramsSchema: Readonly<Record<string, unknown>>;
  available(probe: Probe, signal: AbortSignal): Promise<Availability>;
  /** Whether a node can be hit now. */
  eligible(node: Node): boolean;
  plan(targets: readonly FaultTarget[], params: Readonly<Record<string, unknown>>): Plan;
  /** The baseline, measured before the act. */
  baseline(probe: Probe, targets: readonly FaultTarget[], signal: AbortSignal): Promise<Witness>;
  /** What is left after the undo; empty is clean. */
  audit(probe: Probe, fault: Fault, signal: AbortSignal): Promise<{ node: string; what: string }[]>;
  /** Members of `metadata` beside `fault_id`, `chaos_type` and `target_container`. */
  metadata(fault: Fault): Record<string, unknown>;
}
