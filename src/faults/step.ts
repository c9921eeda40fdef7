/**
 * The closed vocabulary of what a fault does and of how it is undone. Steps are data, idempotent, and enough on their own: an undo step can be run after a crash, in any state the fault was left in,
 * without the chaos type that planned it, by the service or by the toolbox's watchdog. docker/toolbox/PROTOCOL.md has the meaning of those that the toolbox carries out.
 */
export type Step = EngineStep | ToolboxStep;

/** Carried out through the engine's API. */
export type EngineStep =
  /** SIGKILL or another signal to the main process; the engine counts it as a manual stop. */
  | (At & { op: 'engine.kill'; signal: string })
  | (At & { op: 'engine.stop'; grace_s: number })
  | (At & { op: 'engine.restart'; grace_s: number })
  | (At & { op: 'engine.pause' })
  /** Has the container running again: starts or unpauses it. */
  | (At & { op: 'engine.start' })
  | (At & { op: 'engine.unpause' });

/** Carried out by the toolbox; each knows its fault, so that it is found again without any record. */
export type ToolboxStep = Owned &
  (
    | { op: 'proc.kill'; signal: string }
    | { op: 'net.delay'; min_ms: number; max_ms: number; peers: string[] | null }
    | { op: 'net.loss'; percent: number; peers: string[] | null }
    | { op: 'net.rate'; rate_kbit: number }
    | { op: 'net.drop'; to: string[]; from: string[] }
    | { op: 'net.clear' }
    | { op: 'cgroup.cpu'; percent: number; before: string; ours: string }
    | { op: 'cgroup.restore'; file: string; before: string; ours: string }
    | { op: 'memory.ballast'; percent: number }
    | { op: 'memory.release' }
    | { op: 'disk.fill'; volume: string; name: string; bytes: number }
    | { op: 'disk.release'; volume: string; name: string }
    | { op: 'node.tcp'; port: number; send: string; expect: string }
  );

/** The node a step is about. */
interface At {
  node: string;
  container_id: string;
}

interface Owned extends At {
  fault: string;
}

export function isEngineStep(step: Step): step is EngineStep {
  return step.op.startsWith('engine.');
}
