import { canonicalJson } from '../compose/hash.ts';
import { anyMissing, anyPattern, type Path, printPath } from './path.ts';

/** One place at which two values differ. */
export interface Change {
  /** Dotted. An element of a list is named by its own `name`, `node`, `key` or `id` where all have one of their own, else by its place. */
  path: string;
  change: 'added' | 'removed' | 'changed' | 'type_changed';
  /** Null, too, where there was nothing. */
  before: unknown;
  after: unknown;
  /** `after` less `before`, of numbers; null of all else. */
  delta: number | null;
}

export interface Difference {
  changes: Change[];
  /** Differences in what changes by itself. */
  masked: Change[];
}

type Json = Record<string, unknown>;

/** What identifies an element, best first: a name that is the same after a reset before an id that the system gave out. */
const identities = ['name', 'node', 'key', 'id'] as const;

/**
 * All differences of two JSON values, in the order of `before`, then what is new. What either could not read (`missing`) is no difference: nobody knows.
 * `volatile` are patterns of what changes by itself.
 */
export function difference(
  before: unknown,
  after: unknown,
  { missing = [], volatile = [] }: { missing?: readonly string[]; volatile?: readonly string[] } = {},
): Difference {
  const [isMissing, isVolatile] = [anyMissing(missing), anyPattern(volatile)];
  const known = [...between([], before, after)].filter(({ at, change }) => !isMissing(at, change === 'added' || change === 'removed'));
  return {
    changes: known.filter(({ at }) => !isVolatile(at)).map(toChange),
    masked: known.filter(({ at }) => isVolatile(at)).map(toChange),
  };
}

interface Found {
  at: Path;
  change: Change['change'];
  before: unknown;
  after: unknown;
}

function toChange({ at, before, after, change }: Found): Change {
  const delta = typeof before === 'number' && typeof after === 'number' ? after - before : null;
  return { path: printPath(at), change, before, after, delta };
}

function* between(at: Path, before: unknown, after: unknown): Generator<Found> {
  const lists = Array.isArray(before) && Array.isArray(after) ? (byIdentity(before, after) ?? byPlace(before, after)) : null;
  if (isObject(before) && isObject(after)) yield* ofMembers(at, before, after, () => null);
  else if (lists !== null) yield* ofMembers(at, ...lists, namesIn(...lists));
  else if (canonicalJson(before) !== canonicalJson(after))
    yield { at, change: typeOf(before) === typeOf(after) ? 'changed' : 'type_changed', before, after };
}

function* ofMembers(at: Path, before: Json, after: Json, names: (text: string) => readonly string[] | null): Generator<Found> {
  for (const text of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const below = [...at, { text, names: names(text) }];
    if (!Object.hasOwn(after, text)) yield { at: below, change: 'removed', before: before[text], after: null };
    else if (!Object.hasOwn(before, text)) yield { at: below, change: 'added', before: null, after: after[text] };
    else yield* between(below, before[text], after[text]);
  }
}

/** All that names an element, before or after, whichever it was found by. */
function namesIn(...lists: readonly Json[]): (text: string) => readonly string[] {
  return (text) => {
    const elements = lists.map((list) => list[text]).filter(isObject);
    return [text, ...elements.flatMap((element) => identities.flatMap((identity) => nameOf(element[identity]) ?? []))];
  };
}

/** Both lists as objects by what identifies their elements; null when nothing does in both. */
function byIdentity(a: readonly unknown[], b: readonly unknown[]): [Json, Json] | null {
  const elements = [...a, ...b];
  if (elements.length === 0 || !elements.every(isObject)) return null;
  for (const identity of identities) {
    const named = (list: readonly unknown[]) => (list as Json[]).map((element) => [nameOf(element[identity]), element] as const);
    const [from, to] = [named(a), named(b)];
    if ([from, to].every((list) => list.every(([name]) => name !== null) && new Set(list.map(([name]) => name)).size === list.length)) {
      return [asObject(from), asObject(to)];
    }
  }
  return null;
}

/** Lists of objects or lists, element by element; a list with a plain value is one value. */
function byPlace(a: readonly unknown[], b: readonly unknown[]): [Json, Json] | null {
  if (![...a, ...b].every((element) => typeof element === 'object' && element !== null)) return null;
  const placed = (list: readonly unknown[]) => asObject(list.map((element, i) => [String(i), element] as const));
  return [placed(a), placed(b)];
}

function nameOf(value: unknown): string | null {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : null;
}

/** Without a prototype, as a name may be any, `__proto__` too. */
function asObject(entries: readonly (readonly [string | null, unknown])[]): Json {
  const object = Object.create(null) as Json;
  for (const [name, value] of entries) if (name !== null) object[name] = value;
  return object;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
