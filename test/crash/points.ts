import { AsyncLocalStorage } from 'node:async_hooks';
import type { ControlOptions } from '../../src/control/create.ts';

/** A call at which the service is cut off: its name, which of the calls of that name in the operation it is (from 1), and on which side of it. */
export interface CrashPoint {
  call: string;
  nth: number;
  when: 'before' | 'after';
}

/** The calls of one operation, in order. */
class Course {
  readonly calls: string[] = [];
  #counts = new Map<string, number>();

  next(call: string): number {
    const nth = (this.#counts.get(call) ?? 0) + 1;
    this.#counts.set(call, nth);
    this.calls.push(call);
    return nth;
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
): Promise<string[]> {
  const course = new Course();
  await courses.run({ course, reached }, work);
  // A copy: what the operation started beside itself may still call.
  return [...course.calls];
}

function watched(call: string, go: () => unknown): unknown {
  const at = courses.getStore();
  if (at === undefined) return go();
  const nth = at.course.next(call);
  at.reached?.(call, nth, 'before');
  const result = go();
  if (!(result instanceof Promise)) {
    at.reached?.(call, nth, 'after');
    return result;
  }
  return result.then((value: unknown) => {
    at.reached?.(call, nth, 'after');
    return value;
  });
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
