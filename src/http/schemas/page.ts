import { Type } from 'typebox';
import { nullable, strict } from './types.ts';

export const defaultLimit = 50;

/** Query of every list. */
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultLimit, description: 'At most so many.' })),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: '`next_cursor` of the page before.' })),
  },
  strict,
);

export const NextCursor = nullable(Type.String(), { description: 'For the next page; null on the last one.' });
