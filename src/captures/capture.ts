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
  /** Faults that were live when it was taken: the difference that was made on purpose. */
  faults: { id: string; chaos_type: string; state: string }[];
  /** As the engine had them: a system may not know yet, or never tell, that one of its nodes is dead. */
  nodes: { name: string; type: string; state: ContainerState | 'absent' }[];
  complete: boolean;
  /** Dotted names of what could not be read. */
  missing: string[];
  fingerprint: Fingerprint;
  state: Record<string, unknown>;
}

/** A capture in a list or beside a difference: all but the state. */
export type CaptureSummary = Omit<Capture, 'state'>;

export function summaryOf({ state: _state, ...summary }: Capture): CaptureSummary {
  return summary;
}
