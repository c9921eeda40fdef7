const mark = '\u0000int:';
const marked = /"\\u0000int:(-?\d+)"/g;

/** JSON text in which a BigInt is a bare integer, as Go writes an u64. Indented unless `compact`. */
export function goJson(value, compact = false) {
  const text = JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${mark}${inner}` : inner), compact ? 0 : 2);
  return `${text.replace(marked, '$1')}${compact ? '' : '\n'}`;
}

/** What Go's `omitempty` does: no zero, no empty text, no empty list. */
export function omitEmpty(fields) {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== undefined && value !== 0 && value !== '' && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** The elements in a random order, as Go walks a map. */
export function shuffled(elements) {
  return elements
    .map((element) => ({ element, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ element }) => element);
}
