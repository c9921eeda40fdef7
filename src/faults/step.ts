/**
 * The closed vocabulary of what a fault does and of how it is undone. Steps are data, idempotent, and enough on their own: an undo step can be
 * run after a crash, in any state the fault was left in, without the chaos type that planned it.
 */
export type Step = EngineKill | EngineStart;

/** Sends a signal to a node's main process through the engine, which counts as a manual stop. */
export interface EngineKill {
  op: 'engine.kill';
  node: string;
  container_id: string;
  signal: string;
}

/** Has a node's container running again. */
export interface EngineStart {
  op: 'engine.start';
  node: string;
  container_id: string;
}
