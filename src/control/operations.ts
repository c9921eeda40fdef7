import type { Ledger } from '../ledger/ledger.ts';
import { type Clock, rfc3339 } from '../lib/clock.ts';
import { newId } from '../lib/id.ts';
import { Problem } from '../lib/problem.ts';
import { either, manyListeners, pause } from '../lib/until.ts';
import type { Running } from './api.ts';
import type { Operation, OperationKind, Phase } from './operation.ts';
import { toProblem } from './to_problem.ts';

/** Ended operations that can still be asked for. */
const kept = 1000;

/** What the work of an operation is given. */
export interface Work {
  readonly id: string;
  /** Aborts when the operation is cancelled or the service stops. */
  readonly signal: AbortSignal;
  /** Tells what it does now. */
  phase(name: string): void;
  /** Adds phases that are done. */
  done(phases: readonly Phase[]): void;
}

interface Entry {
  operation: Operation;
  controller: AbortController;
  ended: Promise<Operation>;
}

/** All operations: runs their work apart from whoever asked for it, and remembers how they ended, over a restart too. */
export class Operations {
  #ledger: Ledger;
  #clock: Clock;
  #onError: (error: unknown, operation: Operation) => void;
  #entries = new Map<string, Entry>();
  /** Called with each operation that has ended. */
  onEnd: (operation: Operation) => void = () => {};

  constructor(ledger: Ledger, clock: Clock, onError: (error: unknown, operation: Operation) => void) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Takes over what the ledger has; what was running when the service died is `failed` with `interrupted`. */
  async restore(): Promise<void> {
    for (const { value } of this.#ledger.all<Operation>('operation')) {
      if (value.state === 'running') {
        value.state = 'failed';
        value.ended_at = rfc3339(this.#clock.now());
        value.error = new Problem('interrupted', `The service stopped while the ${value.kind} of ${value.subject} was under way.`).toBody();
        await this.#ledger.put('operation', value.id, value);
      }
      this.#entries.set(value.id, { operation: value, controller: new AbortController(), ended: Promise.resolve(value) });
    }
  }

  /** Starts work. `ended` resolves once its end is durable; it never rejects. */
  begin<T>(kind: OperationKind, subject: string, work: (work: Work) => Promise<T>): Running & { controller: AbortController } {
    const operation: Operation = {
      id: newId('op'),
      kind,
      subject,
      state: 'running',
      progress: { phase: null, phases: [] },
      started_at: rfc3339(this.#clock.now()),
      ended_at: null,
      result: null,
      error: null,
    };
    const controller = manyListeners(new AbortController());
    const ended = this.#run(operation, controller, work);
    this.#entries.set(operation.id, { operation, controller, ended });
    return { operation, ended, controller };
  }

  get(id: string): Operation {
    return this.#entry(id).operation;
  }

  /** Waits up to `waitMs` for the end. */
  async wait(id: string, waitMs: number, signal: AbortSignal): Promise<Operation> {
    const { operation, ended } = this.#entry(id);
    if (operation.state !== 'running' || waitMs === 0) return operation;
    const over = new AbortController();
    const late = pause(waitMs, either(signal, over.signal)).catch((error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
    try {
      await Promise.race([ended, late]);
    } finally {
      over.abort();
    }
    return operation;
  }

  cancel(id: string): Operation {
    const { operation, controller } = this.#entry(id);
    if (operation.state === 'running')
      controller.abort(
        new Problem('operation_cancelled', `The ${operation.kind} of ${operation.subject} was cancelled.`, { operation: id }),
      );
    return operation;
  }

  /** Aborts everything that runs and waits until it has ended. */
  async stop(reason: Problem): Promise<void> {
    const running = [...this.#entries.values()].filter((e) => e.operation.state === 'running');
    for (const { controller } of running) controller.abort(reason);
    await Promise.all(running.map((e) => e.ended));
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Problem('operation_not_found', `There is no operation ${id.slice(0, 64)}.`);
    return entry;
  }

  async #run<T>(operation: Operation, controller: AbortController, work: (work: Work) => Promise<T>): Promise<Operation> {
    const end = await this.#outcome(operation, controller, work);
    try {
      await this.#ledger.put('operation', operation.id, { ...operation, ...end });
      await this.#forgetOldest();
    } catch (error) {
      // The work is done; only its memory over a restart is lost, and the ledger's own state shows at /readyz.
      this.#onError(error, operation);
    }
    this.onEnd({ ...operation, ...end });
    // Seen as ended only now: whoever sees it may count on the subject being free.
    return Object.assign(operation, end);
  }

  async #outcome<T>(operation: Operation, controller: AbortController, work: (work: Work) => Promise<T>): Promise<Partial<Operation>> {
    const ended = () => ({ ended_at: rfc3339(this.#clock.now()), progress: { phase: null, phases: operation.progress.phases } });
    try {
      await this.#ledger.put('operation', operation.id, operation).catch((error: unknown) => {
        // What undoes something must go on with a full disk; what begins something must not.
        if (operation.kind === 'inject' || operation.kind === 'reset') throw error;
        this.#onError(error, operation);
      });
      const result = await work({
        id: operation.id,
        signal: controller.signal,
        phase: (name) => {
          operation.progress.phase = name;
        },
        done: (phases) => operation.progress.phases.push(...phases),
      });
      return { state: 'succeeded', result, ...ended() };
    } catch (error) {
      const problem = toProblem(controller.signal.aborted ? controller.signal.reason : error);
      if (problem.code === 'internal') this.#onError(error, operation);
      return { state: problem.code === 'operation_cancelled' ? 'cancelled' : 'failed', error: problem.toBody(), ...ended() };
    }
  }

  async #forgetOldest(): Promise<void> {
    const ended = [...this.#entries.values()].filter((e) => e.operation.state !== 'running');
    for (const { operation } of ended.slice(0, Math.max(0, ended.length - kept))) {
      this.#entries.delete(operation.id);
      await this.#ledger.forget('operation', operation.id);
    }
  }
}
