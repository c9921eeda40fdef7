import { type Engine, EngineError } from '../engine/port.ts';
import type { Step } from './step.ts';

/** Carries out one act. Throws EngineError. */
export async function runStep(engine: Engine, step: Step, signal: AbortSignal): Promise<void> {
  switch (step.op) {
    case 'engine.kill':
      return engine.killContainer(step.container_id, step.signal, signal);
    case 'engine.start':
      return engine.startContainer(step.container_id, signal);
  }
}

/** Carries out one undo step, in whatever state the target is. What cannot be undone because the target is gone is for the audit to tell. */
export async function undoStep(engine: Engine, step: Step, signal: AbortSignal): Promise<void> {
  switch (step.op) {
    case 'engine.kill':
      throw new Error('a kill undoes nothing');
    case 'engine.start': {
      const container = await engine.inspectContainer(step.container_id, signal);
      if (container === null || container.state === 'running') return;
      if (container.state === 'paused') return engine.unpauseContainer(step.container_id, signal);
      return engine.startContainer(step.container_id, signal).catch((error: unknown) => {
        if (error instanceof EngineError && error.reason === 'not_found') return;
        throw error;
      });
    }
  }
}
