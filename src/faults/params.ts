import { Ajv } from 'ajv';
import { Problem } from '../lib/problem.ts';
import type { ChaosType } from './chaos_type.ts';

const ajv = new Ajv({ allErrors: true, useDefaults: true, coerceTypes: false, strict: false });

/** The parameters with their defaults; throws `invalid_request` naming each wrong one. */
export function checkParams(type: ChaosType, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const params: Record<string, unknown> = structuredClone(given);
  const validate = ajv.compile(type.paramsSchema);
  if (validate(params)) return params;
  const errors = (validate.errors ?? []).map((e) => {
    const extra = e.params.additionalProperty as string | undefined;
    const path = `params${e.instancePath.replaceAll('/', '.')}${extra === undefined ? '' : `.${extra}`}`;
    const allowed =
      e.params.allowedValues ?? (extra === undefined ? undefined : Object.keys((type.paramsSchema.properties as object) ?? {}));
    return {
      path,
      reason: extra === undefined ? (e.message ?? e.keyword) : `${type.name} has no such parameter`,
      ...(allowed === undefined ? {} : { allowed }),
    };
  });
  throw new Problem('invalid_request', errors.map((e) => `${e.path}: ${e.reason}`).join('; '), { errors });
}
