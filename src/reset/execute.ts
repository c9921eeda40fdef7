import type { Project } from '../compose/model.ts';
import { type Engine, EngineError } from '../engine/port.ts';
import type { Checks } from '../kind/check.ts';
import { deadline, either, manyListeners, until } from '../lib/until.ts';
import type { BoundedVolumes } from './bounded.ts';
import { awaitNode, type Exits } from './ready.ts';
import { Starts } from './starts.ts';
import type { PhaseName, PlanStep } from './step.ts';

export interface ExecuteContext {
  engine: Engine;
  checks: Checks;
  exits: Exits;
  bounded: BoundedVolumes;
  project: Project;
  /** Called as each step begins, for progress. */
  onStep: (step: PlanStep) => void;
}

/** A network that the plan keeps is not any more as it was: it must be made anew. */
export class NotKept extends Error {}

/** True for what another plan cures: a network that cannot be kept, or a range that another network took between the look and the create. */
export function isCuredByReplanning(error: unknown): error is NotKept | EngineError {
  return error instanceof NotKept || (error instanceof EngineError && error.op === 'createNetwork' && /overlap/i.test(error.message));
}

/** Docker frees a published port some time after it removed the container. */
const portReleaseMs = 5000;

/**
 * Carries out a plan, every step as soon as those before it are done. The first failure stops the rest and is thrown, after all that was
 * under way has ended; calls to the engine are not cut off where another plan comes next, which must find on the engine all that this one made.
 * Answers when the last step of each phase ended, in milliseconds after the begin.
 */
export async function execute(
  steps: readonly PlanStep[],
  context: ExecuteContext,
  signal: AbortSignal,
): Promise<Record<PhaseName, number>> {
  const started = performance.now();
  const ended: Record<PhaseName, number> = { burn: 0, create: 0, start: 0 };
  const stop = manyListeners(new AbortController());
  const cut = manyListeners(new AbortController());
  using waits = either(signal, stop.signal);
  using calls = either(signal, cut.signal);
  const byId = new Map(steps.map((s) => [s.id, s]));
  const runs = new Map<string, Promise<void>>();
  const starts = new Starts();
  let failure: { error: unknown } | null = null;

  const run = (id: string): Promise<void> => {
    const known = runs.get(id);
    if (known !== undefined) return known;
    const step = byId.get(id);
    if (step === undefined) return Promise.reject(new Error(`The plan names a step that it does not have: ${id}`));
    const work = Promise.all(step.after.map(run)).then(async () => {
      waits.throwIfAborted();
      context.onStep(step);
      await act(step, { ...context, starts }, step.op === 'node.await' ? waits : calls);
      ended[step.phase] = performance.now() - started;
    });
    runs.set(id, work);
    work.catch((error: unknown) => {
      failure ??= { error };
      stop.abort(error);
      if (!isCuredByReplanning(error)) cut.abort(error);
    });
    return work;
  };

  await Promise.allSettled(steps.map((s) => run(s.id)));
  if (failure !== null) throw (failure as { error: unknown }).error;
  return ended;
}

async function act(
  step: PlanStep,
  { engine, checks, exits, bounded, project, starts }: ExecuteContext & { starts: Starts },
  signal: AbortSignal,
): Promise<void> {
  switch (step.op) {
    case 'container.kill':
      return kill(engine, step.container, signal);
    case 'container.remove':
      checks.forget(step.container);
      return engine.removeContainer(step.container, signal);
    case 'network.keep': {
      const network = await engine.inspectNetwork(step.network, signal);
      const others = network?.containers.filter((c) => !step.guests.includes(c.id)) ?? [];
      if (network === null) throw new NotKept(`The network ${step.network} is gone.`);
      if (others.length > 0) throw new NotKept(`On the network ${network.name} is ${others.map((c) => c.name).join(', ')}.`);
      return;
    }
    case 'network.disconnect':
      return engine.disconnectNetwork(step.network, step.container, true, signal);
    case 'network.remove':
      return engine.removeNetwork(step.network, signal);
    case 'volume.remove':
      await engine.removeVolume(step.volume, signal);
      return step.bounded ? bounded.remove(step.volume, signal) : undefined;
    case 'network.create':
      await engine.createNetwork(step.body, signal);
      return;
    case 'volume.create': {
      if (step.bounded === null) return engine.createVolume(step.body, signal);
      const device = await bounded.create(step.body.Name, step.bounded, signal);
      return engine.createVolume({ ...step.body, DriverOpts: { type: 'ext4', device } }, signal);
    }
    case 'container.create':
      await engine.createContainer(step.name, step.body, signal);
      return;
    case 'network.connect':
      return engine.connectNetwork(step.network, step.container, step.endpoint, signal).catch((error: unknown) => {
        if (!(step.guest && error instanceof EngineError && (error.reason === 'not_found' || error.reason === 'conflict'))) throw error;
      });
    case 'container.put':
      return engine.putFiles(step.container, step.files, signal);
    case 'container.start':
      return starts.during(() => start(engine, step.container, signal));
    case 'node.await':
      return awaitNode({ engine, checks, exits, project, starts }, step, signal);
  }
}

/** Dead and off its networks when it resolves. What cannot be killed in the state that it is in can still be removed. */
async function kill(engine: Engine, container: string, signal: AbortSignal): Promise<void> {
  try {
    await engine.killContainer(container, 'SIGKILL', signal);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.reason === 'conflict') await engine.removeContainer(container, signal);
    else if (error.reason !== 'not_found') throw error;
  }
}

/** Starts, and tries again for a while when a published port is still held by what was just removed. */
async function start(engine: Engine, container: string, signal: AbortSignal): Promise<void> {
  using limited = deadline('port release', portReleaseMs, signal);
  let taken: unknown = null;
  try {
    await until(
      async () => {
        try {
          await engine.startContainer(container, signal);
          return true;
        } catch (error) {
          if (!(error instanceof EngineError) || error.reason !== 'port_taken') throw error;
          taken = error;
          return undefined;
        }
      },
      100,
      limited,
    );
  } catch (error) {
    if (limited.aborted && !signal.aborted && taken !== null) throw taken;
    throw error;
  }
}
