import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifySchemaCompiler } from 'fastify';
import { components } from './schemas/index.ts';

/**
 * Compiles what requests are checked with. Bodies are taken as they are: no type is coerced, no field dropped or made up. The other parts arrive as
 * text, so there numbers and booleans are read from it.
 */
export function validatorCompiler(): FastifySchemaCompiler<object> {
  const options = {
    allErrors: true,
    verbose: true,
    removeAdditional: false,
    useDefaults: false,
    formats: { 'date-time': true },
  } as const;
  const body = new Ajv2020({ ...options, coerceTypes: false });
  const text = new Ajv2020({ ...options, coerceTypes: true });
  for (const { schema } of components) {
    body.addSchema(schema);
    text.addSchema(schema);
  }
  return ({ schema, httpPart }) => {
    if (httpPart === 'body') return body.compile(schema);
    return text.compile(httpPart === 'headers' ? lowerCase(schema) : schema);
  };
}

/** Header names arrive in lower case; the contract writes them as people do. */
function lowerCase(schema: { properties?: object }): object {
  const properties = Object.entries(schema.properties ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return { ...schema, properties: Object.fromEntries(properties) };
}
