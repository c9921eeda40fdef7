import { AsyncLocalStorage } from 'node:async_hooks';
import type { ControlOptions } from '../../src/control/create.ts';

/** A call at which the service is cut off: its name, which of the calls of that name in the operation it is (from 1), and on which side of it. */
export interface CrashPoint {
  call: string;
  nth: number;
  when: 'before' | 'after';
}

/**
 * A call that an operation made, and the moments before it and after its answer. Where between two points no call that does something began or ended, they are one moment: when none is under way the
 * outside is the same at both; else how far it has come is chance at either.
 */
export interface Call {
  call: string;
  nth: number;
  before: number;
  /** Null: it was never answered. */
  after: number | null;
}

/** Calls that leave nothing behind once they are answered. */
const asking = /^engine\.(inspect|list|logTail|info|ping)|^toolbox\.(measure\.|audit|capabilities|owners|records|snapshot|volume\.list)/;

/** The calls of one operation, in order. */
class Course {
  readonly calls: Call[] = [];
  #counts = new Map<string, number>();
  #moment = 0;

  begin(call: string): Call {
    const nth = (this.#counts.get(call) ?? 0) + 1;
    this.#counts.set(call, nth);
    const made: Call = { call, nth, before: this.#moment, after: null };
    this.calls.push(made);
    if (!asking.test(call)) this.#moment++;
    return made;
  }

  end(made: Call): void {
    if (!asking.test(made.call)) this.#moment++;
    made.after = this.#moment;
  }
}

const courses = new AsyncLocalStorage<{
  course: Course;
  reached: ((call: string, nth: number, when: CrashPoint['when']) => void) | null;
}>();

/** Reads and writes that leave nothing outside are no points. */
const counted = { ledger: new Set(['put', 'forget']), toolbox: new Set(['call']), engine: null } as const;

/**
 * Watches every write of the ledger and every call to the engine and the toolbox that an operation under `during` makes; what the service does by itself
 * beside it is not seen.
 */
export const instrument: NonNullable<ControlOptions['instrument']> = (what, thing) =>
  new Proxy(thing, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (typeof key !== 'string' || counted[what]?.has(key) === false) return value.bind(target);
      return (...args: unknown[]) => watched(nameOf(what, key, args), () => value.apply(target, args));
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });

/** Runs an operation and answers its calls. `reached` is called on both sides of each. */
export async function during(
  work: () => Promise<unknown>,
  reached: ((call: string, nth: number, when: CrashPoint['when']) => void) | null,
): Promise<Call[]> {
  const course = new Course();
  await courses.run({ course, reached }, work);
  // A copy: what the operation started beside itself may still call.
  return structuredClone(course.calls);
}

function watched(call: string, go: () => unknown): unknown {
  const at = courses.getStore();
  if (at === undefined) return go();
  const made = at.course.begin(call);
  at.reached?.(call, made.nth, 'before');
  const answered = () => {
    at.course.end(made);
    at.reached?.(call, made.nth, 'after');
  };
  const result = go();
  if (!(result instanceof Promise)) {
    answered();
    return result;
  }
  return result.then(
    (value: unknown) => {
      answered();
      return value;
    },
    (error: unknown) => {
      at.course.end(made);
      made.after = null;
      throw error;
    },
  );
}

/** With what the call is about, as far as it tells one step from another. */
function nameOf(what: string, key: string, args: unknown[]): string {
  if (what === 'toolbox') return `toolbox.${String(args[0])}${detail((args[1] as { step?: { op?: string } }).step?.op)}`;
  if (what === 'ledger') return `ledger.${key} ${String(args[0])}${detail(stateIn(args[2]))}`;
  return `engine.${key}`;
}

function stateIn(value: unknown): string | undefined {
  const { state, phase, fault } = (value ?? {}) as { state?: string; phase?: string; fault?: { state: string } };
  return fault?.state ?? phase ?? state;
}

const detail = (text: string | undefined) => (text === undefined ? '' : ` ${text}`);
