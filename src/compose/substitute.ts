import { interpolate, type Lookup } from './interpolate.ts';
import type { Issues } from './issues.ts';
import type { MapTree, ScalarTree, Tree } from './tree.ts';

/** A copy of the tree with the variables of all texts replaced; a text with an error becomes a broken value. Keys are left alone, as in Compose. */
export function substitute(tree: MapTree, lookup: Lookup, issues: Issues): MapTree {
  return substituteMap(tree, '', { lookup, issues, done: new Map() });
}

interface State {
  lookup: Lookup;
  issues: Issues;
  /** Shared values stay shared. */
  done: Map<Tree, Tree>;
}

function substituteTree(tree: Tree, path: string, state: State): Tree {
  const known = state.done.get(tree);
  if (known !== undefined) return known;
  const result = replace(tree, path, state);
  state.done.set(tree, result);
  return result;
}

function replace(tree: Tree, path: string, state: State): Tree {
  if (tree.kind === 'map') return substituteMap(tree, path, state);
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item, i) => substituteTree(item, `${path}[${i}]`, state)) };
  if (tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value.includes('$'))
    return substituteText(tree, tree.value, path, state);
  return tree;
}

function substituteMap(tree: MapTree, path: string, state: State): MapTree {
  const entries = [...tree.entries].map(([key, { keyAt, value }]) => {
    return [key, { keyAt, value: substituteTree(value, path === '' ? key : `${path}.${key}`, state) }] as const;
  });
  return { ...tree, entries: new Map(entries) };
}

function substituteText(tree: ScalarTree, value: string, path: string, state: State): Tree {
  const { text, errors } = interpolate(value, state.lookup);
  for (const error of errors) state.issues.add(tree.dollars[error.dollar] ?? tree.at, path, error.message);
  return errors.length > 0 ? { kind: 'broken', at: tree.at } : { ...tree, value: text, text };
}
