import pLimit from 'p-limit';
import { type ContainerDetail, type Engine, EngineError } from '../engine/port.ts';
import { deadline, orAborted } from '../lib/until.ts';

/** Answer of one run of a node's own health check. */
export interface CheckRun {
  passed: boolean;
  exitCode: number | null;
  /** Last output, for people. */
  output: string;
}

/**
 * Runs the nodes' own health checks from the outside, since the engine first runs them after a whole interval, and remembers which start of
 * which container has passed. Each run costs the engine about 80 ms of work, so only a few run at once.
 */
export class Checks {
  #engine: Engine;
  #limit = pLimit(4);
  #passed = new Map<string, number>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** True when the container's check has passed since its present start, by the engine's run or by ours; true when it has none. */
  passed(container: ContainerDetail): boolean {
    if (container.healthCheck === null || container.health?.status === 'healthy') return true;
    return container.startedAt !== null && this.#passed.get(container.id) === container.startedAt;
  }

  /** Tries the check once, within its own time-out. A container that does not run does not pass. */
  async run(container: ContainerDetail, signal: AbortSignal): Promise<CheckRun> {
    const check = container.healthCheck;
    if (check === null) return { passed: true, exitCode: null, output: '' };
    // Who waits for a place does not hear of its own end.
    const run = this.#limit(async () => {
      signal.throwIfAborted();
      using limited = deadline('health check', check.timeoutMs, signal);
      try {
        const argv = check.test[0] === 'CMD-SHELL' ? ['/bin/sh', '-c', check.test[1] ?? ''] : check.test.slice(1);
        const { exitCode, stdout, stderr } = await this.#engine.exec(container.id, argv, limited, { maxBytes: 4096 });
        if (exitCode === 0 && container.startedAt !== null) this.#passed.set(container.id, container.startedAt);
        return { passed: exitCode === 0, exitCode, output: `${stdout}${stderr}`.trim().slice(-500) };
      } catch (error) {
        signal.throwIfAborted();
        if (limited.aborted) return { passed: false, exitCode: null, output: `no answer within ${check.timeoutMs} ms` };
        if (error instanceof EngineError && error.reason !== 'unreachable') return { passed: false, exitCode: null, output: error.message };
        throw error;
      }
    });
    return orAborted(run, signal);
  }

  /** Forgets a container that is gone. */
  forget(id: string): void {
    this.#passed.delete(id);
  }
}
