import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Raised when a deadline passes; tells it apart from a cancelled wait. */
export class DeadlineError extends Error {
  constructor(what: string, ms: number) {
    super(`${what}: not within ${ms} ms`);
    this.name = 'DeadlineError';
  }
}

/** Some 24 days: a timer that is set to more goes off at once. */
const longestMs = 2 ** 31 - 1;

/** A signal that aborts with a DeadlineError after `ms`, or when the parent aborts. */
export function deadline(what: string, ms: number, parent?: AbortSignal): AbortSignal & Disposable {
  const controller = manyListeners(new AbortController());
  const timer = setTimeout(() => controller.abort(new DeadlineError(what, ms)), Math.min(ms, longestMs));
  const onParent = () => controller.abort(parent?.reason);
  if (parent?.aborted) onParent();
  else parent?.addEventListener('abort', onParent, { once: true });
  const dispose = () => {
    clearTimeout(timer);
    parent?.removeEventListener('abort', onParent);
  };
  return Object.assign(controller.signal, { [Symbol.dispose]: dispose });
}

/**
 * Tries `probe` until it answers something other than undefined, at most every `everyMs`.
 * Throws the signal's reason when it aborts. `probe` gets the signal and must honour it.
 */
export async function until<T>(probe: (signal: AbortSignal) => Promise<T | undefined>, everyMs: number, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const started = performance.now();
    const answer = await probe(signal);
    if (answer !== undefined) return answer;
    await pause(Math.max(1, everyMs - (performance.now() - started)), signal);
  }
}

/** Waits `ms`, or throws the signal's reason. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw error;
  }
}

/** For a signal that many calls listen to at once: Node's warning about eleven listeners is meant for leaks. */
export function manyListeners(controller: AbortController): AbortController {
  setMaxListeners(0, controller.signal);
  return controller;
}

/**
 * Aborts when one of them does; many may listen. Dispose it when the work is done: `AbortSignal.any` of Node 20 keeps what it derived as long as the
 * longest-lived of its sources.
 */
export function either(...signals: AbortSignal[]): AbortSignal & Disposable {
  const controller = manyListeners(new AbortController());
  const listeners = signals.map((source) => ({ source, onAbort: () => controller.abort(source.reason) }));
  for (const { source, onAbort } of listeners) {
    if (source.aborted) onAbort();
    else source.addEventListener('abort', onAbort, { once: true });
  }
  return Object.assign(controller.signal, {
    [Symbol.dispose]: () => {
      for (const { source, onAbort } of listeners) source.removeEventListener('abort', onAbort);
    },
  });
}

/** What the work answers; or the signal's reason as soon as it aborts, for work that may not notice that in time. How such work ends is not told any more. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** All their results; when any failed, the first failure, thrown only after all have ended, so that none goes on beside what comes next. */
export async function allEnded<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
