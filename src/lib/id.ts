import { ulid } from 'ulid';

/** Sortable, unique identifiers: `flt_01H…`. */
export function newId(prefix: 'flt' | 'op' | 'own' | 'req'): string {
  return `${prefix}_${ulid()}`;
}
