import { decodeTime, monotonicFactory, ulid } from 'ulid';

/** Sortable, unique identifiers: `flt_01H…`. */
export function newId(prefix: 'flt' | 'op' | 'own'): string {
  return `${prefix}_${ulid()}`;
}

/** Makes ids, each above the one before and all above `last`, also when the clock goes back. */
export function idsAfter(prefix: 'cap', last: string | null): () => string {
  const next = monotonicFactory();
  if (last !== null) next(decodeTime(last.slice(prefix.length + 1)) + 1);
  return () => `${prefix}_${next()}`;
}

const process = ulid();
let requests = 0;

/** Unique over restarts, and cheap: there may be hundreds of requests a second, and good randomness costs more than answering them. */
export function newRequestId(): string {
  requests++;
  return `req_${process}_${requests.toString(36)}`;
}
