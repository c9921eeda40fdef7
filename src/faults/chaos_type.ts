import type { DefaultTarget } from '../kind/adapter.ts';
import type { Capabilities } from '../toolbox/protocol.ts';
import type { Effect, Evidence, Fault, FaultTarget, Remnant, Residue } from './fault.ts';
import type { Scene, SceneNode } from './scene.ts';
import type { Step } from './step.ts';

export type Availability = { available: true; mechanism: string } | { available: false; reason: string; detail: string };

/** What will be done, and how it is undone. All data. */
export interface Plan {
  act: Step[];
  undo: Step[];
  /** Members of the fault's `metadata` beside `fault_id`, `chaos_type` and `target_container`. */
  metadata: Record<string, unknown>;
}

export type Params = Readonly<Record<string, unknown>>;

/** An injection as its chaos type sees it. */
export interface Injected {
  fault: string;
  targets: readonly FaultTarget[];
  params: Params;
}

/** The measurement that tells whether the fault took hold. */
export interface Witness {
  /** Measures after the act and judges. `facts` are what the acts answered, in the order of the plan. Ends within a few hundred milliseconds when the effect is there. */
  judge(facts: readonly Record<string, unknown>[], signal: AbortSignal): Promise<Judgement>;
}

export type Judgement = Pick<Effect, 'verdict'> & {
  evidence: Evidence[];
  /** When the effect showed first, by the monotonic clock, where the witness went on to see it last; else it is when it judged. */
  observedAt?: number;
};

/** What a fault takes of a node. Two faults of one layer on one node exclude each other; faults of different layers live together. */
export type Layer = 'none' | 'process' | 'delay' | 'loss' | 'rate' | 'partition' | 'disk' | 'cpu' | 'memory' | `kind:${string}`;

/**
 * One way of disturbing a subject. To add one: write a file in `types/` and name it in `registry.ts`, or give a kind's adapter one of its own. Whatever it does to the outside goes through steps, so that the ledger
 * and the watchdog can undo it without this code.
 */
export interface ChaosType {
  readonly name: string;
  /** One line for the catalogue. */
  readonly summary: string;
  /** JSON Schema of `params`, with defaults; unknown parameters are refused. */
  readonly paramsSchema: Readonly<Record<string, unknown>>;
  readonly layer: Layer;
  /** `volatile`: it ends with the node's process and is put back after a restart, if asked; `process`: the node's being down is the fault; `lasting`: it outlives a restart. */
  readonly life: 'volatile' | 'process' | 'lasting';
  /** It works through the toolbox, which must be there. */
  readonly needsToolbox: boolean;
  /** Instead of the kind's own default target; null: as the kind has it. */
  readonly defaultTarget: DefaultTarget | null;
  /** Whether and how it can be had here, with these parameters or the default ones. `capabilities` is null when the toolbox is not needed. */
  available(scene: Scene, capabilities: Capabilities | null, params?: Params): Availability;
  /** Refuses parameters that the schema cannot: throws Problems. */
  check(scene: Scene, params: Params): void;
  /** Nodes that the parameters name, which are the targets then; null: the request's target says. */
  named(params: Params): string[] | null;
  /** Null when the node can be hit now, else why not. */
  obstacle(node: SceneNode): string | null;
  plan(scene: Scene, injected: Injected, signal: AbortSignal): Promise<Plan>;
  /** The baseline, measured before the act. */
  baseline(scene: Scene, injected: Injected, plan: Plan, signal: AbortSignal): Promise<Witness>;
  /** What is left after the undo; empty is clean. */
  audit(scene: Scene, fault: Fault, undo: readonly Step[], signal: AbortSignal): Promise<Residue[]>;
  /** What there is of it while it is active, so that it can be seen when somebody takes that away; null: the engine's events tell. */
  readonly presence: ((scene: Scene, fault: Fault, undo: readonly Step[], signal: AbortSignal) => Promise<Remnant[]>) | null;
  /** Waits until what the fault did to the system's own connections has worn off; what has not by the end of the signal is residue. */
  settle(scene: Scene, fault: Fault, undo: readonly Step[], signal: AbortSignal): Promise<Residue[]>;
}
