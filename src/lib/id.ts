import { ulid } from 'ulid';

/** Sortable, unique identifiers: `flt_01H…`. */
export function newId(prefix: 'cap' | 'flt' | 'op' | 'own'): string {
  return `${prefix}_${ulid()}`;
}

const process = ulid();
let requests = 0;

/** Unique over restarts, and cheap: there may be hundreds of requests a second, and good randomness costs more than answering them. */
export function newRequestId(): string {
  requests++;
  return `req_${process}_${requests.toString(36)}`;
}
