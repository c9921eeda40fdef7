import type { Poller } from '../health/poller.ts';
import type { Subject } from '../kind/subject.ts';
import type { Reach } from '../kind/toolkit.ts';
import { Problem } from '../lib/problem.ts';
import type { Running, SubjectPhase } from './api.ts';
import type { OperationKind } from './operation.ts';
import type { Operations, Work } from './operations.ts';

/** What the ledger keeps of a subject. */
export interface SubjectRecord {
  name: string;
  kind: string;
  portShift: number;
  generation: number;
  phase: SubjectPhase;
}

/** One subject with everything that changes about it, and the lock: one writer at a time. */
export class Host {
  readonly subject: Subject;
  readonly poller: Poller;
  reach: Reach;
  generation: number;
  phase: SubjectPhase;
  /** True for the copy that every kind has; it cannot be taken off the list. */
  readonly isDefault: boolean;
  #operations: Operations;
  #holder: (Running & { controller: AbortController }) | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  /** Called when nobody holds the subject any more. */
  #onFree: () => void;

  constructor(options: {
    subject: Subject;
    poller: Poller;
    reach: Reach;
    record: SubjectRecord;
    isDefault: boolean;
    operations: Operations;
    onFree: () => void;
  }) {
    this.subject = options.subject;
    this.poller = options.poller;
    this.reach = options.reach;
    this.generation = options.record.generation;
    this.phase = options.record.phase;
    this.isDefault = options.isDefault;
    this.#operations = options.operations;
    this.#onFree = options.onFree;
  }

  get holder(): string | null {
    return this.#holder?.operation.id ?? null;
  }

  /** The operation that replaces or removes the containers now, or may be about to. */
  get replacing(): string | null {
    const { id, kind } = this.#holder?.operation ?? {};
    return id !== undefined && ['reset', 'delete', 'recover'].includes(kind ?? '') ? id : null;
  }

  get record(): SubjectRecord {
    const { subject, generation, phase } = this;
    return { name: subject.name, kind: subject.kind.name, portShift: subject.portShift, generation, phase };
  }

  /** Runs work as the one writer; throws `subject_busy` when there is another. */
  exclusive<T>(kind: OperationKind, work: (work: Work) => Promise<T>): Running {
    if (this.#holder !== null) {
      const { id, kind: held } = this.#holder.operation;
      throw new Problem('subject_busy', `${this.subject.name} is held by ${held} ${id}.`, {
        operation: id,
        operation_kind: held,
        retry_after_s: held === 'reset' ? 5 : 1,
      });
    }
    return this.#hold(kind, work);
  }

  /** Cancels the holder, waits for its end, then runs as the one writer. */
  preempting<T>(kind: OperationKind, work: (work: Work) => Promise<T>): Running {
    const before = this.#holder;
    // A recovery is not cut off: nobody else would finish it.
    if (before?.operation.kind !== 'recover')
      before?.controller.abort(new Problem('operation_cancelled', `${kind} preempted it.`, { operation: before.operation.id }));
    return this.#hold(kind, async (handle) => {
      await before?.ended;
      handle.signal.throwIfAborted();
      return work(handle);
    });
  }

  /** Runs as the one writer as soon as nobody else is, in order of the calls. For the service's own work. */
  queued<T>(kind: OperationKind, work: (work: Work) => Promise<T>, signal: AbortSignal): Promise<void> {
    const run = async () => {
      while (this.#holder !== null && !signal.aborted) await this.#holder.ended;
      if (signal.aborted) return;
      await this.#hold(kind, work).ended;
    };
    const next = this.#queue.then(run);
    this.#queue = next;
    return next;
  }

  #hold<T>(kind: OperationKind, work: (work: Work) => Promise<T>): Running {
    const running = this.#operations.begin(kind, this.subject.name, work);
    this.#holder = running;
    void running.ended.then(() => {
      if (this.#holder !== running) return;
      this.#holder = null;
      this.#onFree();
    });
    return running;
  }
}
