import { type Engine, EngineError } from '../engine/port.ts';
import { DeadlineError, deadline } from '../lib/until.ts';
import type { Toolbox } from '../toolbox/port.ts';
import { type EngineStep, isEngineStep, type Step } from './step.ts';

/** What carries steps out. */
export interface Hands {
  engine: Engine;
  toolbox: Toolbox;
}

/** A paused container may be wedged by a command that was on its way into it: then the engine does not answer about it, and it is thawed from the host. */
const unpauseMs = 3000;
/** Of a call to the engine that disturbs a node, beyond the grace that the node is given. */
const actMs = 20_000;

/** Carries out one act of a fault that is armed with this fence; answers its facts, `mechanism` among them. Throws EngineError or ToolboxError. */
export async function runStep(
  { engine, toolbox }: Hands,
  armed: { fault: string; fence: number },
  step: Step,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  if (!isEngineStep(step)) return toolbox.call('apply', { ...armed, step }, signal);
  signal.throwIfAborted();
  // Not cut off: the engine goes on with what nobody waits for any more, and an undo that overtook it would find nothing to undo.
  using limited = deadline(step.op, actMs + 1000 * ('grace_s' in step ? step.grace_s : 0));
  await act(engine, step, limited);
  signal.throwIfAborted();
  return { mechanism: 'engine' };
}

async function act(engine: Engine, step: EngineStep, signal: AbortSignal): Promise<void> {
  switch (step.op) {
    case 'engine.kill':
      return engine.killContainer(step.container_id, step.signal, signal);
    case 'engine.stop':
      return engine.stopContainer(step.container_id, step.grace_s, signal);
    case 'engine.restart':
      return engine.restartContainer(step.container_id, step.grace_s, signal);
    case 'engine.pause':
      return engine.pauseContainer(step.container_id, signal);
    case 'engine.start':
      return engine.startContainer(step.container_id, signal);
    case 'engine.unpause':
      return engine.unpauseContainer(step.container_id, signal);
  }
}

/** Carries out one undo step, in whatever state the target is. What cannot be undone because the target is gone is for the audit to tell. */
export async function undoStep(hands: Hands, step: Step, signal: AbortSignal): Promise<void> {
  switch (step.op) {
    case 'engine.start':
      return haveRunning(hands, step, signal);
    case 'engine.unpause':
      return haveUnpaused(hands, step, signal);
    case 'engine.kill':
    case 'engine.stop':
    case 'engine.restart':
    case 'engine.pause':
      throw new Error(`${step.op} undoes nothing`);
    default:
      await hands.toolbox.call('undo', { step }, signal);
  }
}

async function haveRunning({ engine, toolbox }: Hands, step: Step, signal: AbortSignal): Promise<void> {
  const container = await engine.inspectContainer(step.container_id, signal);
  if (container === null || container.state === 'running') return;
  if (container.state === 'paused') return haveUnpaused({ engine, toolbox }, step, signal);
  await engine.startContainer(step.container_id, signal).catch(unlessGone);
}

async function haveUnpaused({ engine, toolbox }: Hands, step: Step, signal: AbortSignal): Promise<void> {
  using limited = deadline('unpausing', unpauseMs, signal);
  try {
    const container = await engine.inspectContainer(step.container_id, limited);
    if (container?.state === 'paused') await engine.unpauseContainer(step.container_id, limited);
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof EngineError && (error.reason === 'not_found' || error.reason === 'conflict')) return;
    if (!(error instanceof DeadlineError)) throw error;
    await toolbox.call('undo', { step: { ...step, op: 'engine.unpause' } }, signal);
  }
}

/** Somebody removed it, or removes it now: there is nothing to start. */
function unlessGone(error: unknown): void {
  if (error instanceof EngineError && (error.reason === 'not_found' || error.reason === 'conflict')) return;
  throw error;
}
