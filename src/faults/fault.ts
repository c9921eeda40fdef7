import type { Node } from '../kind/adapter.ts';
import type { Step } from './step.ts';

/** One injected disturbance, in the words and shape of the API. */
export interface Fault {
  id: string;
  subject: string;
  generation: number;
  chaos_type: string;
  state: FaultState;
  seed: number;
  targets: FaultTarget[];
  selection: Selection;
  params: Record<string, unknown>;
  mechanism: string;
  /** Null until it was measured. */
  effect: Effect | null;
  injected_at: string | null;
  expires_at: string;
  /** True: something outside this process undoes it when its time is up. */
  guarded: boolean;
  ended_by: EndedBy | null;
  heal: HealResult | null;
  /** What `cleanup_chaos` of the original contract needs, `fault_id` included. */
  metadata: Record<string, unknown>;
  on_target_restart: OnTargetRestart;
  /** Times in which it was not in force although it was active: from a target's end to the fault's being put back. */
  uncovered: Uncovered[];
}

/** A target that restarts takes a fault in its process or namespaces with it: `reapply` puts it back, `once` lets it end. */
export type OnTargetRestart = 'reapply' | 'once';

export interface Uncovered {
  node: string;
  from: string;
  /** Null: still uncovered. */
  until: string | null;
  ms: number | null;
  /** What the witness said when it was put back. */
  verdict: Effect['verdict'] | null;
}

/** Something of a fault that is still there. */
export interface Residue {
  node: string;
  what: string;
}

/** Something of a fault that the toolbox found. */
export interface Remnant extends Residue {
  /** The same whatever other faults there are at the node and however often the toolbox is started. */
  name: string;
  /** False of what does nothing by itself. */
  inForce: boolean;
}

export type FaultState = 'planned' | 'injecting' | 'active' | 'healing' | 'healed' | 'failed' | 'residue';

export type EndedBy = 'api' | 'ttl' | 'reset' | 'recovery' | 'watchdog' | 'restart_policy' | 'outside';

export interface FaultTarget {
  node: string;
  container: string;
  container_id: string;
}

/** Why these targets: everything needed to choose them again. */
export interface Selection {
  candidates: string[];
  algorithm: 'sha256-v1';
  /** Index chosen at each draw, in the candidates left at that draw. */
  draws: number[];
  /** For a role target: the system's replies that prove the role. */
  proof?: Record<string, unknown>[];
}

/** The measured evidence of a fault. */
export interface Effect {
  verdict: 'confirmed' | 'not_observed' | 'inconclusive';
  /** From the first act to the observation. */
  observed_ms: number;
  between: [string, string];
  evidence: Evidence[];
}

export type Evidence = { check: string; before: unknown; after: unknown } & Record<string, unknown>;

export interface HealResult {
  verdict: 'clean' | 'dirty' | 'unknown';
  residue: Residue[];
  /** Until the undo steps were done. */
  undone_ms: number;
  /** Until the nodes were proven healthy; null: they were not. */
  recovered_ms: number | null;
}

/** What the ledger keeps of a fault: the fault and how to undo it without anything else. */
export interface FaultRecord {
  fault: Fault;
  /** What was done last, to see whether it must be done again. */
  act: Step[];
  undo: Step[];
  /** Grows with each hand-over to the watchdog; what is older there is refused. */
  fence: number;
  /** Of a fault that ends with its targets' processes: when those processes started that it was put into last, by node and by the engine's clock. Records of older versions have none. */
  startedAt?: Record<string, number>;
}

/**
 * True when a target's container has another start than when the fault was put into it. Both are the engine's word, and only compared with each other: its clock need not be ours, and ours
 * may be set.
 */
export function hasRestarted({ fault, startedAt }: FaultRecord, node: string, now: number | null): boolean {
  const known = startedAt?.[node];
  return known === undefined ? (now ?? 0) > inForceSince(fault, node) : now !== known;
}

/** The starts of these targets as they were seen, for `startedAt`. */
export function startsOf(nodes: readonly Pick<Node, 'name' | 'startedAt'>[], targets: readonly FaultTarget[]): Record<string, number> {
  const starts = nodes.flatMap((n) =>
    n.startedAt === null || !targets.some((t) => t.node === n.name) ? [] : [[n.name, n.startedAt] as const],
  );
  return Object.fromEntries(starts);
}

/** When it was injected, or came into force at this node again last, by our wall clock in milliseconds; 0: never. */
export function inForceSince({ injected_at, uncovered }: Fault, node: string): number {
  const again = uncovered.filter((u) => u.node === node).map((u) => u.until);
  return Math.max(...[injected_at, ...again].map((t) => (t === null ? 0 : Date.parse(t))));
}

/** True while something of it may still be in the subject. */
export function isLive(state: FaultState): boolean {
  return state === 'planned' || state === 'injecting' || state === 'active' || state === 'healing' || state === 'residue';
}
