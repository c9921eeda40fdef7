import type { Place } from './issues.ts';

/**
 * A YAML document as compose sees it: aliases and merge keys resolved, every value with its place. Anchored values are shared,
 * so the same object may stand at several keys.
 */
export type Tree = MapTree | ListTree | ScalarTree | BrokenTree;

export interface MapTree {
  kind: 'map';
  at: Place;
  entries: Map<string, Entry>;
}

export interface Entry {
  keyAt: Place;
  value: Tree;
}

export interface ListTree {
  kind: 'list';
  at: Place;
  items: Tree[];
}

export interface ScalarTree {
  kind: 'scalar';
  at: Place;
  value: string | number | boolean | null;
  /** The value as text, as Compose would put it into an environment variable: `0440` is `288`, `1.10` is `1.1`. */
  text: string;
  /** Compose reads it as a time, infinity or not-a-number, and would make something unexpected of it. */
  odd: boolean;
  /** Place of each `$` of a text, in order; empty when the text was written with escapes and they cannot be told. */
  dollars: Place[];
}

/** A value that has an issue already: whoever reads it says no more about it. */
export interface BrokenTree {
  kind: 'broken';
  at: Place;
}
