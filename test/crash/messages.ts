import type { SubjectView } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import type { Fault } from '../../src/faults/fault.ts';
import type { Call, CrashPoint } from './points.ts';

export type OperationName = 'inject' | 'heal' | 'reset';

/** What the service's process is told, one JSON object a line. It answers each with one `Answer`, but for a `run` that it does not live to answer. */
export type Order =
  /** Starts the service on its data directory and waits until its recovery has ended, or its time is over. */
  | { do: 'start' }
  | { do: 'status'; subject: string }
  | { do: 'types'; subject: string }
  | { do: 'reset' | 'delete'; subject: string }
  | { do: 'inject'; subject: string; request: InjectOrder }
  /** Runs one operation and dies at the point; without a point it lives, and answers its calls. */
  | { do: 'run'; subject: string; operation: OperationName; request: InjectOrder; fault: string | null; point: CrashPoint | null };

export interface InjectOrder {
  chaos_type: string;
  params: Record<string, unknown>;
  seed: number;
  target?: { node: string };
  require_effect: boolean;
}

export interface Answers {
  start: { recovered_ms: number };
  status: Status;
  types: { name: string; available: boolean; detail: string | null }[];
  reset: Operation;
  delete: Operation;
  inject: Operation;
  run: { operation: Operation; calls: Call[] };
}

export interface Status {
  subject: SubjectView;
  faults: Fault[];
  /** What is still not well after a wait; empty: healthy. */
  issues: string[];
  owner: string;
}

export type Answer = { answer: unknown } | { error: string };
