import { type Field, isNull, join, type Reader } from './reader.ts';

/** Entries of a mapping that may be written as a list of `KEY=value`; a value of null was not given. Reports keys that stand twice. */
export function readPairs(reader: Reader, field: Field): Map<string, { value: string | null; field: Field }> | undefined {
  const pairs = new Map<string, { value: string | null; field: Field }>();
  if (field.tree.kind === 'list') {
    for (const item of reader.list(field) ?? []) {
      const text = reader.text(item);
      if (text === undefined) continue;
      const at = text.indexOf('=');
      const key = at < 0 ? text : text.slice(0, at);
      const known = pairs.get(key);
      if (key === '') reader.fail(item, 'has no name before the "="; write NAME=value');
      else if (known !== undefined) reader.fail(item, `${key} stands in this list already; keep one of the two`);
      else pairs.set(key, { value: at < 0 ? null : text.slice(at + 1), field: { tree: item.tree, path: join(field.path, key) } });
    }
    return pairs;
  }
  if (field.tree.kind !== 'map') return reader.fail(field, 'must be a mapping, or a list of NAME=value');
  for (const { key, keyAt, tree, path } of reader.named(field) ?? []) {
    if (key === '' || key.includes('=')) {
      reader.issues.add(keyAt, path, 'a name must not be empty or hold "="; correct it');
      continue;
    }
    if (isNull(tree)) pairs.set(key, { value: null, field: { tree, path } });
    else {
      const value = reader.scalarText({ tree, path });
      if (value !== undefined) pairs.set(key, { value, field: { tree, path } });
    }
  }
  return pairs;
}

/** Labels; one without a value is an empty text. Those that say whose a container, network or volume is are reported. */
export function readLabels(reader: Reader, field: Field): Record<string, string> | undefined {
  const pairs = readPairs(reader, field);
  for (const [key, { field: at }] of pairs ?? []) {
    if (/^(?:com\.docker\.compose|io\.subjectd)\./.test(key)) reader.fail(at, `the label ${key} is reserved; choose another name`);
  }
  return pairs && record([...pairs].map(([key, { value }]) => [key, value ?? '']));
}

/** Options of a driver: a mapping only, texts and numbers only. */
export function readOptions(reader: Reader, field: Field): Record<string, string> | undefined {
  const entries = reader.named(field)?.map((option): [string, string | undefined] => [option.key, reader.scalarText(option)]);
  return entries && record(entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

/** A plain object with its keys sorted; safe for keys such as `__proto__`. */
export function record<T>(entries: readonly (readonly [string, T] | [string, T])[]): Record<string, T> {
  return Object.fromEntries([...entries].sort(([a], [b]) => compare(a, b)));
}

/** Order by code unit, the same on every machine. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
