import type { ErrorObject } from 'ajv';
import { Problem } from './problem.ts';

/** One thing that is wrong with a request. */
export interface InputError {
  in: 'body' | 'query' | 'path' | 'header';
  /** JSON pointer into the body, or the name of the parameter or header. */
  path: string;
  reason: string;
  /** A list of values, or bounds. */
  allowed?: unknown;
}

/** `invalid_request` for one member of the body, named with dots: `params.peers` is `/params/peers`. */
export function bodyProblem(member: string, reason: string, allowed?: unknown): Problem {
  const path = `/${member.split('.').map(pointer).join('/')}`;
  const error: InputError = { in: 'body', path, reason, ...(allowed === undefined ? {} : { allowed }) };
  return new Problem('invalid_request', `${member}: ${reason}.`, { errors: [error] });
}

/** What a schema finds wrong, without the branches of a combinator: they fail one by one before the combinator itself does, which says it all. */
export function inputErrors(errors: readonly ErrorObject[], where: InputError['in']): InputError[] {
  return errors.filter(({ schemaPath }) => !/\/(oneOf|anyOf|allOf)\/\d+\//.test(schemaPath)).map((error) => inputError(error, where));
}

/** The validator must be `verbose`, so that an error brings its schema. */
function inputError(error: ErrorObject, where: InputError['in']): InputError {
  const { path, reason, allowed } = describe(error);
  const named = where === 'body' ? path : path.slice(1);
  return { in: where, path: named, reason, ...(allowed === undefined ? {} : { allowed }) };
}

function describe(error: ErrorObject): { path: string; reason: string; allowed?: unknown } {
  const { instancePath: path, keyword, params } = error;
  const schema = (error.parentSchema ?? {}) as Record<string, unknown>;
  switch (keyword) {
    case 'additionalProperties':
      return {
        path: `${path}/${pointer(String(params.additionalProperty))}`,
        reason: 'is not a known field',
        allowed: Object.keys(schema.properties ?? {}),
      };
    case 'required':
      return {
        path: `${path}/${pointer(String(params.missingProperty))}`,
        reason: 'is required',
        ...choices(propertyOf(schema, String(params.missingProperty)), ['type', ...bounds]),
      };
    case 'enum':
      return { path, reason: `must be one of ${list(params.allowedValues)}`, allowed: params.allowedValues };
    case 'type':
      return { path, reason: `must be ${article(String(params.type))}${range(schema)}`, ...choices(schema, ['type', ...bounds]) };
    case 'oneOf': {
      const names = (Array.isArray(schema.oneOf) ? schema.oneOf : []).flatMap((branch: { required?: string[] }) => branch.required ?? []);
      return { path, reason: `must have exactly one of ${list(names)}`, allowed: names };
    }
    case 'not': {
      const names = (schema.not as { required?: string[] }).required ?? [];
      return { path, reason: `must not have ${names.join(' and ')} together` };
    }
    case 'pattern':
      return { path, reason: `must match ${params.pattern}`, allowed: { pattern: params.pattern } };
    default:
      return { path, reason: `${error.message ?? keyword}${range(schema)}`, ...choices(schema, bounds) };
  }
}

const bounds = [
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
] as const;

/** What may be there instead: the words there are, or those of the schema's bounds that it has. */
function choices(schema: Record<string, unknown>, names: readonly string[]): { allowed?: unknown } {
  if (Array.isArray(schema.enum)) return { allowed: schema.enum };
  const known = Object.fromEntries(names.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]]));
  return Object.keys(known).length === 0 ? {} : { allowed: known };
}

function range(schema: Record<string, unknown>): string {
  if (schema.minimum !== undefined && schema.maximum !== undefined) return ` (from ${schema.minimum} to ${schema.maximum})`;
  if (schema.minLength !== undefined && schema.maxLength !== undefined) return ` (${schema.minLength} to ${schema.maxLength} characters)`;
  return '';
}

function propertyOf(schema: Record<string, unknown>, name: string): Record<string, unknown> {
  return (schema.properties as Record<string, Record<string, unknown>> | undefined)?.[name] ?? {};
}

/** The values as one text. */
export function list(values: unknown): string {
  const texts = Array.isArray(values) ? values.map(String) : [];
  return texts.length === 0 ? 'none' : texts.join(', ');
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** Escapes a name for a JSON pointer (RFC 6901). */
function pointer(name: string): string {
  return name.slice(0, 200).replaceAll('~', '~0').replaceAll('/', '~1');
}
