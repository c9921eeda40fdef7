import { parseDuration } from '../lib/duration.ts';
import type { Issues, Place } from './issues.ts';
import type { KeyRule, KeyTable } from './keys/rule.ts';
import { parseSize } from './size.ts';
import { suggest } from './suggest.ts';
import type { Tree } from './tree.ts';

/** A thousand days; the engine counts nanoseconds in 63 bits. */
const longestMs = 1000 * 24 * 3_600_000;

/** A value and the keys that lead to it. */
export interface Field {
  tree: Tree;
  path: string;
}

/** A value under a key that the file's author chose. */
export interface NamedField extends Field {
  key: string;
  keyAt: Place;
}

/**
 * Reads typed values out of a tree. Every method answers undefined after it has reported why the value cannot be used,
 * and stays silent about values that were reported before.
 */
export class Reader {
  readonly issues: Issues;

  constructor(issues: Issues) {
    this.issues = issues;
  }

  /** Reports at the field's value; always answers undefined. */
  fail(field: Field, message: string): undefined {
    if (field.tree.kind !== 'broken') this.issues.add(field.tree.at, field.path, message);
    return undefined;
  }

  /** The fields of a mapping whose keys the table names; every other key, and every refused one, is reported. `x-` keys that it does not name are skipped. */
  keyed(field: Field, table: KeyTable): Map<string, Field> | undefined {
    const { tree } = field;
    if (tree.kind !== 'map') return this.fail(field, 'must be a mapping; write its keys below it');
    const fields = new Map<string, Field>();
    for (const [key, { keyAt, value }] of tree.entries) {
      if (key.startsWith('x-') && !Object.hasOwn(table, key)) continue;
      const path = join(field.path, key);
      const rule = Object.hasOwn(table, key) ? table[key] : undefined;
      const wrong = rule === undefined ? unknownKey(key, table) : misuse(key, rule, value);
      if (wrong !== null) this.issues.add(keyAt, path, wrong);
      else if (!isNull(value)) fields.set(key, { tree: value, path });
    }
    return fields;
  }

  /** The fields of a mapping whose keys are names; null values are kept. */
  named(field: Field, pattern?: RegExp): NamedField[] | undefined {
    const { tree } = field;
    if (tree.kind !== 'map') return this.fail(field, 'must be a mapping of names; write NAME: below it');
    const fields: NamedField[] = [];
    for (const [key, { keyAt, value }] of tree.entries) {
      const path = join(field.path, key);
      if (pattern && !pattern.test(key))
        this.issues.add(keyAt, path, 'the name has characters that are not allowed; use letters, digits, ".", "_" and "-"');
      else fields.push({ key, keyAt, tree: value, path });
    }
    return fields;
  }

  list(field: Field): Field[] | undefined {
    if (field.tree.kind !== 'list') return this.fail(field, 'must be a list; put "- " before each entry');
    return field.tree.items.map((tree, i) => ({ tree, path: `${field.path}[${i}]` }));
  }

  /** A text that is not empty. */
  text(field: Field): string | undefined {
    const { tree } = field;
    if (tree.kind !== 'scalar' || typeof tree.value !== 'string' || tree.odd)
      return this.fail(field, 'must be a text; put the value in quotes');
    if (tree.value === '') return this.fail(field, 'is empty; give it a value, or remove it');
    return this.#clean(field, tree.value);
  }

  /** A text that may be empty. */
  anyText(field: Field): string | undefined {
    const { tree } = field;
    return tree.kind === 'scalar' && tree.value === '' ? '' : this.text(field);
  }

  /** A text, number or boolean as the text Compose makes of it. */
  scalarText(field: Field): string | undefined {
    const { tree } = field;
    if (tree.kind !== 'scalar' || tree.value === null)
      return this.fail(field, 'must be a single value, not a list or a mapping; write it in one line');
    if (tree.odd) return this.fail(field, `${tree.text} is a time or no number to Compose; put it in quotes`);
    return this.#clean(field, tree.text);
  }

  flag(field: Field): boolean | undefined {
    const { tree } = field;
    const word = tree.kind === 'scalar' ? tree.text.toLowerCase() : '';
    if (['true', 'yes', 'on', 'y'].includes(word)) return true;
    if (['false', 'no', 'off', 'n'].includes(word)) return false;
    return this.fail(field, 'must be true or false');
  }

  number(field: Field, min: number, max: number): number | undefined {
    const { tree } = field;
    const value = tree.kind === 'scalar' ? numberOf(tree.value) : Number.NaN;
    if (value >= min && value <= max) return value;
    return this.fail(field, `must be a number from ${min} to ${max}`);
  }

  integer(field: Field, min: number, max: number): number | undefined {
    const value = this.number(field, min, max);
    if (value === undefined || Number.isInteger(value)) return value;
    return this.fail(field, 'must be a whole number');
  }

  /** Bytes of a size; a bare number counts bytes. */
  bytes(field: Field): number | undefined {
    const { tree } = field;
    const value = tree.kind === 'scalar' && typeof tree.value !== 'boolean' ? parseSize(tree.text) : null;
    return value ?? this.fail(field, 'must be a size such as 64m or 1g; correct the number or its unit');
  }

  /** Milliseconds of a duration; zero or at least one millisecond, which is the engine's least. */
  duration(field: Field): number | undefined {
    const { tree } = field;
    const value =
      tree.kind === 'scalar' && typeof tree.value === 'string'
        ? parseDuration(tree.value)
        : tree.kind === 'scalar' && tree.value === 0
          ? 0
          : null;
    if (value !== null && (value === 0 || (value >= 1 && value <= longestMs))) return value;
    return this.fail(field, 'must be a duration of at least 1ms with its unit, such as 10s, 500ms or 1m30s');
  }

  /** A list of texts that are not empty, each once. */
  texts(field: Field): string[] | undefined {
    const values = this.list(field)?.map((item) => this.text(item));
    return values && [...new Set(values.filter((value) => value !== undefined))];
  }

  /** A text, or a list of texts. */
  textOrTexts(field: Field): string[] | undefined {
    if (field.tree.kind === 'list') return this.texts(field);
    const value = this.text(field);
    return value === undefined ? undefined : [value];
  }

  #clean(field: Field, value: string): string | undefined {
    return value.includes('\0') ? this.fail(field, 'has a NUL character in it; remove it') : value;
  }
}

/** A number, or a text that is one (a variable's value). */
function numberOf(value: string | number | boolean | null): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^[-+]?[0-9]+(?:\.[0-9]+)?$/.test(value) ? Number(value) : Number.NaN;
}

export function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

export function isNull(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.value === null;
}

function unknownKey(key: string, table: KeyTable): string {
  const near = suggest(key, Object.keys(table));
  return near === null
    ? 'this key is not in the Compose format as it is supported here; remove it, or rename it to x-… to keep it as a note'
    : `this key is unknown; did you mean ${near}?`;
}

function misuse(key: string, rule: KeyRule, value: Tree): string | null {
  if (rule.support === 'refused') return `${key} is not supported: ${rule.note}`;
  if (isNull(value) && rule.empty !== true && rule.support !== 'ignored') return 'has no value; give it one, or remove the key';
  return null;
}
