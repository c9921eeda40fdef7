import type { Calls, Ended, Op } from './protocol.ts';

/** The resident helper of the engine, as the rest of the service uses it. */
export interface Toolbox {
  /**
   * Asks the agent; has the toolbox running and joined first, which takes about half a second once. Throws ToolboxError, EngineError or the signal's
   * reason. `timeoutMs` (default 10,000) is the agent's own limit.
   */
  call<K extends Op>(op: K, args: Calls[K]['args'], signal: AbortSignal, timeoutMs?: number): Promise<Calls[K]['result']>;
  /** True while a session is open: what is armed is guarded. */
  readonly connected: boolean;
  /** Called after each join, before the call that caused it goes on; and when the agent tells that it ended a fault. */
  onJoined: (() => Promise<void>) | null;
  onEnded: ((fault: string, ended: Pick<Ended, 'by' | 'done'>) => void) | null;
  onLost: ((why: string) => void) | null;
  close(): void;
}

/** Codes of the protocol, and two of this side: the toolbox cannot be had, and the session ended in the middle. */
export type ToolboxErrorCode =
  | 'unavailable'
  | 'lost'
  | 'bad_request'
  | 'unknown_op'
  | 'hello_first'
  | 'not_running'
  | 'gone'
  | 'host_namespace'
  | 'unsupported'
  | 'stale_fence'
  | 'not_armed'
  | 'no_space'
  | 'engine'
  | 'conflict'
  | 'cancelled'
  | 'deadline'
  | 'failed';

export class ToolboxError extends Error {
  readonly code: ToolboxErrorCode;
  readonly op: string;

  constructor(code: ToolboxErrorCode, message: string, op: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ToolboxError';
    this.code = code;
    this.op = op;
  }
}
