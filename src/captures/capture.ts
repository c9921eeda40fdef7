import type { ContainerState } from '../engine/port.ts';
import type { Fingerprint } from './fingerprint.ts';

/** A stored snapshot of a subject's state, with what it was taken from. In the words and shape of the API. */
export interface Capture {
  id: string;
  subject: string;
  kind: string;
  generation: number;
  captured_at: string;
  /** The caller's own word for it. */
  label: string | null;
  /** Faults that were live at some time while it was taken: the difference that was made on purpose. */
  faults: CapturedFault[];
  complete: boolean;
  /** Dotted names of what could not be read of the state. */
  missing: string[];
  fingerprint: Fingerprint;
  nodes: CapturedNode[];
  state: Record<string, unknown>;
}

export interface CapturedFault {
  id: string;
  chaos_type: string;
  state: string;
  /** Names of nodes. */
  targets: string[];
  params: Record<string, unknown>;
}

/** As the engine had it: a system may not know yet, or never tell, that one of its nodes is dead or was restarted. */
export interface CapturedNode {
  name: string;
  type: string;
  state: ContainerState | 'absent';
  started_at: string | null;
  /** Null while it runs. */
  exit_code: number | null;
  oom_killed: boolean;
  /** By its restart policy. */
  restart_count: number;
}

/** A capture in a list or beside a comparison: without what it holds. */
export type CaptureSummary = Omit<Capture, 'nodes' | 'state'>;

export function summaryOf({ nodes: _nodes, state: _state, ...summary }: Capture): CaptureSummary {
  return summary;
}
