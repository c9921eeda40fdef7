import type { ErrorObject } from 'ajv';
import type { FastifySchemaValidationError } from 'fastify';
import { type InputError, inputErrors, list } from '../lib/input_error.ts';
import { Problem } from '../lib/problem.ts';

const parts: Record<string, InputError['in']> = { body: 'body', querystring: 'query', params: 'path', headers: 'header' };

/** All that is wrong, in words, with the offending property and the allowed values. */
export function invalidRequest(errors: FastifySchemaValidationError[], part: string): Problem {
  const found = inputErrors(errors as ErrorObject[], parts[part] ?? 'body');
  const sentences = found.slice(0, 5).map(sentence);
  const more = found.length > 5 ? ` And ${found.length - 5} more.` : '';
  return new Problem('invalid_request', sentences.join(' ') + more, { errors: found });
}

function sentence(error: InputError): string {
  const place = error.path === '' ? `The ${error.in}` : `${error.in} ${error.path}`;
  const known = error.reason === 'is not a known field' ? ` (known: ${list(error.allowed)})` : '';
  return `${place} ${error.reason}${known}.`;
}
