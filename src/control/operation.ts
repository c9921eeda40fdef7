import type { ProblemBody } from '../lib/problem.ts';

export type OperationKind = 'reset' | 'delete' | 'inject' | 'heal' | 'heal_all' | 'recover' | 'reapply';

/** The handle of anything that takes a while, in the shape of the API. */
export interface Operation {
  id: string;
  kind: OperationKind;
  subject: string;
  state: 'running' | 'succeeded' | 'failed' | 'cancelled';
  /** What it does now, for people; the phases that are done. */
  progress: { phase: string | null; phases: Phase[] };
  started_at: string;
  ended_at: string | null;
  /** Equals the body of the same call made without `Prefer: respond-async`. Null until it succeeded. */
  result: unknown;
  error: ProblemBody | null;
}

export interface Phase {
  name: string;
  duration_ms: number;
}
