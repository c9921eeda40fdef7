import Type from 'typebox';
import { bounds, keyPattern } from './keys.ts';

const strict = { additionalProperties: false };
const Key = Type.String({ minLength: 1, maxLength: bounds.keyLength, pattern: keyPattern, description: 'Visible ASCII.' });
const limit = Type.Integer({ minimum: 0, maximum: bounds.limit });
const windowMs = Type.Integer({ minimum: 1, maximum: bounds.windowMs });

export const KeyParams = Type.Object({ key: Key }, strict);
export const CheckBody = Type.Object({ key: Key, limit: Type.Optional(limit), window_ms: Type.Optional(windowMs) }, strict);
export const LimitBody = Type.Object({ limit, window_ms: windowMs }, strict);
export const LimitsBody = Type.Object(
  { limits: Type.Array(Type.Object({ key: Key, limit, window_ms: windowMs }, strict), { maxItems: 1000 }) },
  strict,
);
