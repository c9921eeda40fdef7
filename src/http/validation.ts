import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import { components } from './schemas/index.ts';

/**
 * Compiles what requests are checked with. All is taken as it is: no type is coerced, no field dropped or made up. Only a query arrives as text, so
 * there numbers and booleans are read from it.
 */
export function validatorCompiler(): FastifySchemaCompiler<object> {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    removeAdditional: false,
    useDefaults: false,
    coerceTypes: false,
    formats: { 'date-time': true },
  });
  for (const { schema } of components) ajv.addSchema(schema);
  return ({ schema, httpPart }) => {
    const validate = ajv.compile(httpPart === 'headers' ? lowerCase(schema) : schema);
    if (httpPart !== 'querystring') return validate;
    const read = reader(schema);
    return (query: Record<string, unknown>) => {
      read(query);
      return validate(query) || { error: (validate.errors ?? []) as FastifySchemaValidationError[] };
    };
  };
}

/** Decimal digits and no other way of writing a number: what is meant by `1e2` or ` 5` is for the caller to say. */
const integer = /^(\d+|-0*[1-9]\d*)$/;

/** Puts the number or boolean that the text of a parameter is in its place. Other text stays, and is then found to be of the wrong type. */
function reader(schema: { properties?: object }): (query: Record<string, unknown>) => void {
  const types = Object.entries((schema.properties ?? {}) as Record<string, { type?: unknown }>);
  return (query) => {
    for (const [name, { type }] of types) {
      const text = query[name];
      if (typeof text !== 'string') continue;
      if (type === 'integer' && integer.test(text)) query[name] = Number(text);
      if (type === 'boolean' && (text === 'true' || text === 'false')) query[name] = text === 'true';
    }
  };
}

/** Header names arrive in lower case; the contract writes them as people do. */
function lowerCase(schema: { properties?: object }): object {
  const properties = Object.entries(schema.properties ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return { ...schema, properties: Object.fromEntries(properties) };
}
