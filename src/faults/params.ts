import { Ajv } from 'ajv';
import { inputErrors } from '../lib/input_error.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosType } from './chaos_type.ts';

const ajv = new Ajv({ allErrors: true, useDefaults: true, coerceTypes: false, strict: false, verbose: true });

/** The parameters with their defaults; throws `invalid_request` naming each wrong one, with the values there may be. */
export function checkParams(type: ChaosType, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const params: Record<string, unknown> = structuredClone(given);
  const validate = ajv.compile(type.paramsSchema);
  if (validate(params)) return params;
  const errors = inputErrors(validate.errors ?? [], 'body').map((e) => ({
    ...e,
    path: `/params${e.path}`,
    reason: e.reason === 'is not a known field' ? `${type.name} has no such parameter` : e.reason,
  }));
  throw new Problem('invalid_request', errors.map((e) => `${dotted(e.path)}: ${e.reason}`).join('; '), { errors });
}

/** A JSON pointer as people write it: `params.groups.0`. */
function dotted(path: string): string {
  return path.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
}
