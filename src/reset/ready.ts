import { EventEmitter, once } from 'node:events';
import type { Project } from '../compose/model.ts';
import { type ContainerDetail, type Engine, EngineError } from '../engine/port.ts';
import type { Checks } from '../kind/check.ts';
import { composeLabels, labels } from '../kind/subject.ts';
import { Problem } from '../lib/problem.ts';
import { either, pause } from '../lib/until.ts';
import { knock } from './knock.ts';
import type { Starts } from './starts.ts';
import type { AwaitCondition } from './step.ts';
import { judge } from './verdict.ts';

/**
 * How often a node is looked at and its check tried. An exit is seen at once, by the engine's event. A check costs the engine almost as much as a start does, so
 * one that failed is not tried again sooner than it took, within reason: where the machine is busy, tries would only hold up the node.
 */
const lookEveryMs = 120;
const lookEveryMostMs = 400;
/** A process has hardly opened its port sooner than this; where that can be seen, its check is not tried before, for so long. */
const firstCheckMs = 200;
const knockEveryMs = 50;
const closedMostMs = 1500;
/** For the same reason a check waits for the starts that are under way, at most this long. */
const startsFirstMs = 1000;
/** How often a ready node is looked at beside the events. */
const guardEveryMs = 1000;
/** A node without a check is ready when it has run this long: the engine calls a process that ended at once running for some 200 ms more. */
const unprovenMs = 400;
/** A check whose command is not in the image never passes; a few tries leave room for an image that installs it. */
const maxMissingCommand = 5;

/** The name of a service's event: a service may be called `error`, which is another thing to an emitter. */
const exitOf = (service: string) => `exit ${service}`;

/** Engine events about exits of one project, as they come. */
export class Exits {
  #emitter = new EventEmitter().setMaxListeners(0);
  readonly #done: Promise<void>;
  #failure: unknown = null;

  private constructor(done: (emitter: EventEmitter) => Promise<void>) {
    this.#done = done(this.#emitter).catch((error: unknown) => {
      this.#failure = error;
      this.#emitter.emit('*');
    });
  }

  /** Resolves once the engine has taken the subscription, so that no exit after it is missed. Ends with the signal. */
  static async watch(engine: Engine, owner: string, project: string, signal: AbortSignal): Promise<Exits> {
    const open = deferred();
    const exits = new Exits(async (emitter) => {
      try {
        const filter = { labels: [`${labels.owner}=${owner}`, `${composeLabels.project}=${project}`], onOpen: open.resolve };
        for await (const event of engine.events(filter, signal)) {
          if (event.type === 'container' && event.action === 'die') emitter.emit(exitOf(event.attributes[composeLabels.service] ?? ''));
        }
      } catch (error) {
        open.reject(error);
        if (!signal.aborted) throw error;
      } finally {
        // An aborted stream ends without an error, perhaps before it was open; no effect once it was.
        open.reject(signal.reason ?? new Error('the engine’s events ended'));
      }
    });
    await open.promise;
    return exits;
  }

  /** Waits `ms`, or until the service exits; throws when the engine's events have broken off. */
  async pause(service: string, ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    using both = either(signal, stop.signal);
    const quiet = (error: unknown) => {
      if (!both.aborted) throw error;
    };
    await Promise.race([
      pause(ms, signal),
      once(this.#emitter, exitOf(service), { signal: both }).catch(quiet),
      once(this.#emitter, '*', { signal: both }).catch(quiet),
    ]).finally(() => stop.abort());
    if (this.#failure !== null) throw this.#failure;
  }

  /** Resolves when the subscription has ended. */
  ended(): Promise<void> {
    return this.#done;
  }
}

/**
 * Waits until a started service fulfils the condition. Tries its health check from outside, at once and again, instead of waiting for the engine's first
 * run after a whole interval. Throws `node_failed` with its last log lines as soon as it cannot become ready any more.
 */
export async function awaitNode(
  context: { engine: Engine; checks: Checks; exits: Exits; project: Project; starts: Starts },
  step: { service: string; container: string; condition: AwaitCondition },
  signal: AbortSignal,
): Promise<void> {
  const service = context.project.services.find((s) => s.name === step.service);
  if (service === undefined) throw new Error(`no service ${step.service} in ${context.project.name}`);
  let missing = 0;
  let runningSince: number | null = null;
  for (;;) {
    const container = await context.engine.inspectContainer(step.container, signal);
    const verdict = judge(service, step.condition, container, container !== null && context.checks.passed(container));
    if (container?.state === 'running') runningSince ??= performance.now();
    let pauseMs = lookEveryMs;
    if (verdict.is === 'done') {
      if (container?.state !== 'running' || container.healthCheck !== null || runningSince === null) return;
      if (performance.now() - runningSince >= unprovenMs) return;
    }
    if (verdict.is === 'failed') throw await nodeFailed(context.engine, step, container, verdict.why, signal);
    const ranMs = runningSince === null ? 0 : performance.now() - runningSince;
    const open = verdict.is === 'waiting' && verdict.check && container !== null ? await knock(service, container) : null;
    if (open === false && ranMs < closedMostMs) {
      pauseMs = knockEveryMs;
    } else if (verdict.is === 'waiting' && verdict.check && open === null && ranMs < firstCheckMs) {
      pauseMs = firstCheckMs - ranMs;
    } else if (verdict.is === 'waiting' && verdict.check && container !== null) {
      await context.starts.over(startsFirstMs, signal);
      const began = performance.now();
      const run = await context.checks.run(container, signal);
      // One that got no answer has mostly waited, and cost nothing.
      if (run.exitCode !== null) pauseMs = Math.min(Math.max(lookEveryMs, performance.now() - began), lookEveryMostMs);
      // Passed now means ready only if it still runs: look once more, at once.
      if (run.passed) continue;
      missing = run.exitCode === 126 || run.exitCode === 127 ? missing + 1 : 0;
      if (missing >= maxMissingCommand)
        throw await nodeFailed(context.engine, step, container, `its health check cannot run: ${run.output}`, signal);
    }
    await context.exits.pause(step.service, pauseMs, signal);
  }
}

/**
 * Watches nodes that are ready, until the signal aborts: throws `node_failed` as soon as one of them has exited for good. A process may well
 * have been running when it was looked at and end a moment later.
 */
export async function guardNodes(
  context: { engine: Engine; exits: Exits; project: Project },
  nodes: readonly { service: string; container: string }[],
  signal: AbortSignal,
): Promise<never> {
  const guard = async (node: { service: string; container: string }): Promise<never> => {
    const service = context.project.services.find((s) => s.name === node.service);
    if (service === undefined) throw new Error(`no service ${node.service} in ${context.project.name}`);
    for (;;) {
      const container = await context.engine.inspectContainer(node.container, signal);
      const verdict = judge(service, 'ready', container, true);
      if (verdict.is === 'failed') throw await nodeFailed(context.engine, node, container, verdict.why, signal);
      await context.exits.pause(node.service, guardEveryMs, signal);
    }
  };
  return Promise.race(nodes.map(guard));
}

async function nodeFailed(
  engine: Engine,
  step: { service: string; container: string },
  container: ContainerDetail | null,
  why: string,
  signal: AbortSignal,
): Promise<Problem> {
  const logs = container === null ? [] : await lastLines(engine, container.id, signal);
  return new Problem('node_failed', `Node ${step.service} cannot become ready: ${why}.`, {
    nodes: [
      {
        name: step.service,
        container: step.container,
        state: container?.state ?? 'absent',
        exit_code: container?.exitCode ?? null,
        why,
        logs,
      },
    ],
  });
}

/** Last log lines of a container, or the reason why there are none. */
export async function lastLines(engine: Engine, container: string, signal: AbortSignal): Promise<string[]> {
  try {
    return await engine.logTail(container, 20, signal);
  } catch (error) {
    if (error instanceof EngineError) return [`(no log: ${error.message})`];
    throw error;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
