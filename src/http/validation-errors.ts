import type { ErrorObject } from 'ajv';
import type { FastifySchemaValidationError } from 'fastify';
import { Problem } from '../lib/problem.ts';

/** One thing that is wrong with a request. */
interface InputError {
  in: 'body' | 'query' | 'path' | 'header';
  /** JSON pointer into the body, or the name of the parameter or header. */
  path: string;
  reason: string;
  /** A list of values, or bounds. */
  allowed?: unknown;
}

const parts: Record<string, InputError['in']> = { body: 'body', querystring: 'query', params: 'path', headers: 'header' };

/** All that is wrong, in words, with the offending property and the allowed values. */
export function invalidRequest(errors: FastifySchemaValidationError[], part: string): Problem {
  const where = parts[part] ?? 'body';
  const found = (errors as ErrorObject[]).filter(tellsSomething).map((error) => inputError(error, where));
  const sentences = found.slice(0, 5).map(sentence);
  const more = found.length > 5 ? ` And ${found.length - 5} more.` : '';
  return new Problem('invalid_request', sentences.join(' ') + more, { errors: found });
}

/** The branches of a combinator fail one by one before the combinator itself does, which says it all. */
function tellsSomething(error: ErrorObject): boolean {
  return !/\/(oneOf|anyOf|allOf)\/\d+\//.test(error.schemaPath);
}

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
        ...choices(propertyOf(schema, String(params.missingProperty))),
      };
    case 'enum':
      return { path, reason: `must be one of ${list(params.allowedValues)}`, allowed: params.allowedValues };
    case 'type':
      return { path, reason: `must be ${article(String(params.type))}${range(schema)}`, ...choices(schema) };
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
      return { path, reason: `${error.message ?? keyword}${range(schema)}`, ...choices(schema) };
  }
}

const bounds = ['minimum', 'maximum', 'minLength', 'maxLength'] as const;

function choices(schema: Record<string, unknown>): { allowed?: unknown } {
  if (Array.isArray(schema.enum)) return { allowed: schema.enum };
  const known = Object.fromEntries(bounds.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]]));
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

function sentence(error: InputError): string {
  const place = error.path === '' ? `The ${error.in}` : `${error.in} ${error.path}`;
  const known = error.reason === 'is not a known field' ? ` (known: ${list(error.allowed)})` : '';
  return `${place} ${error.reason}${known}.`;
}

function list(values: unknown): string {
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
