import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { appFor, scripted } from './scripted.ts';
import { type Json, operations, served } from './served.ts';

describe('the contract', () => {
  test('that is committed is the one that is served', async (t) => {
    const committed = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8');
    assert.equal(JSON.stringify(JSON.parse(committed)), JSON.stringify(await served(t)), 'run `npm run openapi`');
  });

  test('is the same when it is served again, and by the UI', async (t) => {
    const app = await appFor(t, scripted());
    const first = (await app.inject('/openapi.json')).body;
    assert.equal((await app.inject('/openapi.json')).body, first);
    assert.equal((await app.inject('/docs/json')).body, first);
  });

  test('names, describes and groups every operation', async (t) => {
    const ids = new Set<string>();
    for (const { path, method, operation } of operations(await served(t))) {
      const where = `${method} ${path}`;
      assert.ok(operation.operationId && operation.summary && operation.description && operation.tags?.length === 1, where);
      assert.ok(!ids.has(operation.operationId), where);
      ids.add(operation.operationId);
      for (const [status, { description }] of Object.entries(operation.responses))
        assert.notEqual(description, 'Default Response', `${where} ${status}`);
    }
  });

  test('has every route of the service, and no other', async (t) => {
    const documented = operations(await served(t)).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    assert.deepEqual(documented.sort(), [
      'DELETE /v1/subjects/{subject}',
      'DELETE /v1/subjects/{subject}/faults',
      'DELETE /v1/subjects/{subject}/faults/{fault}',
      'GET /',
      'GET /healthz',
      'GET /metrics',
      'GET /readyz',
      'GET /v1/events',
      'GET /v1/kinds',
      'GET /v1/kinds/{kind}',
      'GET /v1/operations/{operation}',
      'GET /v1/subjects',
      'GET /v1/subjects/{subject}',
      'GET /v1/subjects/{subject}/captures',
      'GET /v1/subjects/{subject}/captures/{capture}',
      'GET /v1/subjects/{subject}/captures/{capture}/diff/{other}',
      'GET /v1/subjects/{subject}/chaos-types',
      'GET /v1/subjects/{subject}/faults',
      'GET /v1/subjects/{subject}/faults/{fault}',
      'GET /v1/subjects/{subject}/health',
      'GET /v1/subjects/{subject}/state',
      'PATCH /v1/subjects/{subject}/faults/{fault}',
      'POST /v1/operations/{operation}/cancel',
      'POST /v1/subjects',
      'POST /v1/subjects/{subject}/captures',
      'POST /v1/subjects/{subject}/faults',
      'POST /v1/subjects/{subject}/reset',
    ]);
  });

  test('says that all errors are problems', async (t) => {
    const document = await served(t);
    for (const { path, method, operation } of operations(document)) {
      for (const [status, response] of Object.entries(operation.responses)) {
        if (Number(status) < 400 || path === '/readyz') continue;
        const { schema, examples } = response.content?.['application/problem+json'] ?? {};
        assert.deepEqual(schema, { $ref: '#/components/schemas/Problem' }, `${method} ${path} ${status}`);
        for (const code of Object.keys(examples ?? {})) {
          assert.equal(document.components.examples[code]?.value.status, Number(status));
          assert.ok(response.description.includes(`\`${code}\``));
        }
        assert.ok(Object.keys(examples ?? {}).length > 0);
      }
    }
  });

  test('gives an example of every body, and every example is valid', async (t) => {
    const document = await served(t);
    const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, keywords: ['components'], formats: { 'date-time': true } });
    ajv.addSchema({ $id: 'contract', components: document.components });
    const inContract = (schema: Json) => JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"contract#/components')) as Json;
    const problem = ajv.compile({ $ref: 'contract#/components/schemas/Problem' });
    for (const [name, { value }] of Object.entries(document.components.examples)) assert.ok(problem(value), name);
    let bodies = 0;
    for (const { path, method, operation } of operations(document)) {
      for (const { name, schema, example } of operation.parameters ?? []) {
        if (example !== undefined) assert.ok(ajv.validate(inContract(schema), example), `${path} ${name}`);
      }
      if (operation.requestBody === undefined) continue;
      const { schema, examples } = operation.requestBody.content['application/json'] ?? { schema: {} };
      assert.ok(examples, `${method} ${path} has no example`);
      const validate = ajv.compile(inContract(schema));
      for (const [name, { value }] of Object.entries(examples)) {
        assert.ok(validate(value), `${method} ${path} ${name}: ${ajv.errorsText(validate.errors)}`);
        bodies++;
      }
      // What may be left out is what the empty object can stand for.
      assert.equal(operation.requestBody.required, !validate({}), `${method} ${path}`);
    }
    assert.ok(bodies >= 8);
  });

  test('offers no example of a header: the UI would send it', async (t) => {
    for (const { path, operation } of operations(await served(t))) {
      for (const { name, in: place, example } of operation.parameters ?? []) {
        if (place !== 'path') assert.equal(example, undefined, `${path} ${name}`);
      }
    }
  });
});
