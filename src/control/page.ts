import type { Page, Paged } from './api.ts';

/** Cuts one page out of all items, which are newest first. The cursor is the id of the last item of the page before, so it outlives that item. */
export function paged<T>(all: readonly T[], { limit, cursor }: Page, id: (item: T) => string): Paged<T> {
  const from = cursor === undefined ? 0 : all.findIndex((item) => id(item) < cursor);
  const items = from === -1 ? [] : all.slice(from, from + limit);
  const last = items.at(-1);
  return { items, next_cursor: last !== undefined && from + limit < all.length ? id(last) : null };
}
