import type { Page } from '../control/api.ts';
import { defaultLimit } from './schemas/page.ts';

/**
 * Cuts one page out of all items, in the order of their names. A cursor is the last name of the page before, so it outlives that item; it says of what
 * list it is.
 */
export function pageByName<T extends { name: string }>(
  list: 'kind' | 'subject',
  all: readonly T[],
  query: { limit?: number; cursor?: string },
): { items: T[]; next_cursor: string | null } {
  const { limit = defaultLimit, cursor } = query;
  const last = cursor?.slice(list.length + 1);
  const sorted = [...all].sort((a, b) => compare(a.name, b.name));
  const rest = last === undefined ? sorted : sorted.filter((item) => compare(item.name, last) > 0);
  const items = rest.slice(0, limit);
  return { items, next_cursor: rest.length > limit ? `${list}:${items.at(-1)?.name}` : null };
}

/** The page that a query of a list by time asks for. */
export function pageOf({ limit = defaultLimit, cursor }: { limit?: number; cursor?: string }): Page {
  return { limit, ...(cursor === undefined ? {} : { cursor }) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
