import type { CallSite } from './errors.ts';
import { EngineError } from './port.ts';

/** `/containers/<ref>`. A text that can be no name or id is answered as the engine would: `not_found`. */
export function containerPath(at: CallSite): string {
  return `/containers/${plainName(at, 'container')}`;
}

/** `/volumes/<name>`, as containerPath. */
export function volumePath(at: CallSite): string {
  return `/volumes/${plainName(at, 'volume')}`;
}

/** `/networks/<ref>`. Network names may hold almost anything, so what is sent is encoded. */
export function networkPath(at: CallSite): string {
  const encoded = encodedOrNull(at.target);
  if (encoded === null || /^(|\.{1,2})$/.test(at.target.trim()) || at.target.includes('/')) throw noSuch(at, 'network');
  return `/networks/${encoded}`;
}

/** `/images/<ref>`. Slashes belong to the reference. */
export function imagePath(at: CallSite): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:@/-]*$/.test(at.target) || /(^|\/)(\.{1,2})?(\/|$)/.test(at.target)) throw noSuch(at, 'image');
  return `/images/${at.target.split('/').map(encodeURIComponent).join('/')}`;
}

/** An empty or odd name must not become another path: `/containers//json` is the list of all of them. */
function plainName(at: CallSite, what: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(at.target)) throw noSuch(at, what);
  return at.target;
}

/** Null for half a surrogate pair, which has no UTF-8. */
function encodedOrNull(text: string): string | null {
  try {
    return encodeURIComponent(text);
  } catch {
    return null;
  }
}

function noSuch(at: CallSite, what: string): EngineError {
  return new EngineError('not_found', `No such ${what}: ${at.target}`, { status: null, ...at });
}

/**
 * Whether an answer is about what was asked for. The engine also takes any unique beginning of an id, so a *name* like
 * `cafe` could answer with a stranger's container.
 */
export function isAbout(ref: string, found: { id: string; name: string }): boolean {
  return found.name === ref || found.id === ref || (/^[0-9a-f]{12,63}$/.test(ref) && found.id.startsWith(ref));
}
