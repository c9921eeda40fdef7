import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

type Json = Record<string, unknown>;

/**
 * Holds answers against the served contract, word for word: a field that its schema does not know is a failure, unless the schema says that
 * any are welcome.
 */
export function strictly(document: { components: { schemas: Record<string, Json> } }): (component: string, value: unknown) => void {
  const ajv = new Ajv2020({
    allErrors: true,
    allowUnionTypes: true,
    keywords: ['components'],
    formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
  });
  ajv.addSchema({ $id: 'contract', components: closed(document.components) });
  return (component, value) => {
    const validate = ajv.getSchema(`contract#/components/schemas/${component}`);
    assert.ok(validate, `there is no component ${component}`);
    assert.ok(validate(value), `${component}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 1)}`);
  };
}

/** By the committed contract, which another test holds to the served one. */
export function strictlyCommitted(): ReturnType<typeof strictly> {
  return strictly(JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')));
}

/** The same schemas, with every object closed that does not say otherwise. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, name === 'examples' ? value : closed(value)]));
  if (copy.type === 'object' && copy.properties !== undefined && copy.additionalProperties === undefined) copy.additionalProperties = false;
  return copy;
}
