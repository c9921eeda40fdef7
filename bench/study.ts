import type { Engine } from '../src/engine/port.ts';
import type { Machine } from './machine.ts';
import type { Options, StudyName } from './options.ts';

/** The results of one study, as they are kept. */
export interface Study<T> {
  made_at: string;
  /** False when it was cut short. */
  whole: boolean;
  machine: Machine;
  load_per_core: { start: number; end: number };
  options: Pick<Options, 'injections' | 'runs'>;
  figures: T;
}

/** What a study works with. */
export interface Bench {
  engine: Engine;
  options: Options;
  say: (text: string) => void;
}

/** Something that is measured by itself and has results of its own. */
export interface StudyKind<T> {
  name: StudyName;
  /** Name of its files in the folder of results, without ending. */
  file: string;
  measure(bench: Bench, signal: AbortSignal): Promise<T>;
  markdown(study: Study<T>): string;
}
