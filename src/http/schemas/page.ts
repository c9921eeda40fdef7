import { Type } from 'typebox';
import { nullable, strict } from './types.ts';

export const defaultLimit = 50;

/** Query of a list whose cursors have this form. */
function pageQuery(cursor: string) {
  return Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: defaultLimit, description: 'At most so many.' })),
      cursor: Type.Optional(Type.String({ pattern: `^${cursor}$`, description: '`next_cursor` of the page before.' })),
    },
    strict,
  );
}

const name = '[a-z0-9][a-z0-9_-]{0,63}';

export const KindPageQuery = pageQuery(`kind:${name}`);
export const SubjectPageQuery = pageQuery(`subject:${name}`);
/** The cursor is the id of the last fault of the page before. */
export const FaultPageQuery = pageQuery('flt_[0-9A-HJKMNP-TV-Z]{26}');
/** The cursor is the id of the last capture of the page before. */
export const CapturePageQuery = pageQuery('cap_[0-9A-HJKMNP-TV-Z]{26}');

export const NextCursor = nullable(Type.String(), { description: 'For the next page; null on the last one.' });
