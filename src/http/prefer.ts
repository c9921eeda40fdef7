/** How long a caller is ready to wait for the end of its call. */
export interface Preference {
  /** Null: to the end. */
  patienceMs: number | null;
  /** Value of `Preference-Applied` when the wait was cut short. */
  applied: string;
}

const longestMs = 86_400_000;
const preferencePattern = /^([!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*)))?\s*(?:;.*)?$/is;

/**
 * Reads a `Prefer` header (RFC 7240): `respond-async` and `wait=seconds`. Names are case-insensitive, the first of a name counts, and what is unknown
 * or malformed is ignored, as the RFC asks.
 */
export function parsePrefer(header: string | string[] | undefined): Preference {
  const found = new Map<string, string>();
  for (const item of splitOutsideQuotes([header ?? ''].flat().join(','))) {
    const [, name, quoted, token] = preferencePattern.exec(item.trim()) ?? [];
    if (name === undefined || found.has(name.toLowerCase())) continue;
    found.set(name.toLowerCase(), quoted === undefined ? (token ?? '') : quoted.replace(/\\(.)/g, '$1'));
  }
  // An empty value equals none (RFC 7240, section 2).
  const respondAsync = found.get('respond-async') === '';
  const wait = found.get('wait') ?? '';
  const waits = /^\d{1,9}$/.test(wait);
  const applied = [...(respondAsync ? ['respond-async'] : []), ...(waits ? [`wait=${Number(wait)}`] : [])].join(', ');
  if (waits) return { patienceMs: Math.min(Number(wait) * 1000, longestMs), applied };
  return { patienceMs: respondAsync ? 0 : null, applied };
}

function splitOutsideQuotes(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+/gs) ?? [];
}
