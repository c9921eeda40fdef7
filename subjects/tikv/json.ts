const longDigits = /\d{16}/;
const token = /\\.|"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
const integer = /^-?\d+$/;

/**
 * JSON.parse, except that an integer which a JavaScript number cannot hold exactly arrives as its decimal text.
 * PD sends cluster ids, member ids and nanosecond times as bare integers beyond 2^53. Throws SyntaxError exactly where JSON.parse does.
 */
export function parseExact(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!longDigits.test(text)) return plain;
  // The text is valid JSON by now: a backslash stands only in strings, a quote without one begins or ends a string, digits outside are numbers.
  // One flat pass: an expression for whole strings overflows the stack on long ones.
  let inString = false;
  const quoted = text.replace(token, (found) => {
    if (found === '"') inString = !inString;
    return inString || !integer.test(found) || Number.isSafeInteger(Number(found)) ? found : `"${found}"`;
  });
  return JSON.parse(quoted);
}

/** A plain JSON object, or null. */
export function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

/** A JSON array, or null. */
export function list(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}

/** A JSON string, or null. */
export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A JSON number, or null. */
export function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** An id: a small integer as a number, one beyond 2^53 as its text; null when it is neither. */
export function id(value: unknown): number | string | null {
  return typeof value === 'number' || (typeof value === 'string' && integer.test(value)) ? value : null;
}

/** A JSON object of numbers (`store_peer_count`); what is no number is left out, and null (PD sends it for `?count`) is empty. */
export function numbers(value: unknown): Record<string, number> {
  return Object.fromEntries(Object.entries(record(value) ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
