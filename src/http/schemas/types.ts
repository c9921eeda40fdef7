import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** With every optional member there: a schema that lacks one says nothing wrong, but not all either. */
type Whole<T> = T extends readonly (infer E)[] ? Whole<E>[] : T extends object ? { [K in keyof T]-?: Whole<T[K]> } : T;

/** A schema with a name of its own in the contract. */
export interface Component<T> {
  schema: TSchema & { $id: string };
  /** What other schemas use in its place. */
  ref: TUnsafe<T>;
}

/**
 * Names a schema. It does not compile when the schema and the type it describes differ: the contract cannot fall behind the code.
 */
export function component<T>(
  id: string,
): <S extends TSchema>(
  schema: S,
  ...proof: [Same<Static<S>, T>, Same<Whole<Static<S>>, Whole<T>>] extends [true, true] ? [] : [never]
) => Component<T> {
  return (schema, ..._proof) => ({ schema: { ...schema, $id: id }, ref: Type.Unsafe<T>({ $ref: `${id}#` }) });
}

/** One of these words. */
export function words<const T extends readonly string[]>(values: T, options: { description?: string } = {}): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });
}

/** The schema, or null. */
export function nullable<S extends TSchema>(schema: S, options: { description?: string } = {}): TUnsafe<Static<S> | null> {
  const { type, ...rest } = schema as { type?: unknown; enum?: unknown[] };
  const simple = typeof type === 'string' && type !== 'object';
  const words = rest.enum === undefined ? {} : { enum: [...rest.enum, null] };
  const either = simple ? { ...rest, type: [type, 'null'], ...words } : { anyOf: [schema, { type: 'null' }] };
  return Type.Unsafe<Static<S> | null>({ ...either, ...options });
}

/** An object with free keys, all of whose values are of one kind. */
export function mapOf<S extends TSchema>(schema: S, options: { description?: string } = {}): TUnsafe<Record<string, Static<S>>> {
  return Type.Unsafe<Record<string, Static<S>>>({ type: 'object', additionalProperties: schema, ...options });
}

/** Any JSON object. */
export function anyObject(options: { description?: string } = {}): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, ...options });
}

/** An RFC 3339 time in UTC. */
export function time(options: { description?: string } = {}): TUnsafe<string> {
  return Type.Unsafe<string>({ type: 'string', format: 'date-time', ...options });
}

/** An object that takes no other fields: for what callers send. */
export const strict = { additionalProperties: false } as const;
