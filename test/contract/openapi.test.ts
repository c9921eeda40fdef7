import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, type TestContext, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Problem, problemTable } from '../../src/lib/problem.ts';
import { appFor, scripted } from './scripted.ts';

type Json = Record<string, unknown>;
interface Parameter {
  name: string;
  in: string;
  schema: Json;
  example?: unknown;
}
interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json; examples?: Record<string, { value: unknown }> }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json; examples?: Record<string, unknown> }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; examples: Record<string, { value: Json }> };
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
const served = async (t: TestContext) => (await (await appFor(t, scripted(), { version })).inject('/openapi.json')).json() as Document;
const operations = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

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
      'GET /v1/subjects/{subject}/chaos-types',
      'GET /v1/subjects/{subject}/faults',
      'GET /v1/subjects/{subject}/faults/{fault}',
      'GET /v1/subjects/{subject}/health',
      'GET /v1/subjects/{subject}/state',
      'PATCH /v1/subjects/{subject}/faults/{fault}',
      'POST /v1/operations/{operation}/cancel',
      'POST /v1/subjects',
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

describe('the errors of the contract', () => {
  const codesOf = ({ responses }: Operation) =>
    Object.values(responses).flatMap(({ content }) => Object.keys(content?.['application/problem+json']?.examples ?? {}));
  const codesByRoute = async (t: TestContext) =>
    new Map(operations(await served(t)).map(({ path, method, operation }) => [`${method.toUpperCase()} ${path}`, codesOf(operation)]));
  const atEach = ['invalid_request', 'unauthorized', 'forbidden_host', 'forbidden_origin', 'internal'];
  const atChanges = ['shutting_down', 'idempotency_key_reused', 'payload_too_large', 'unsupported_media_type'];
  const ofSubject = ['subject_not_found', 'kind_not_found', 'compose_invalid'];
  const ofEngine = ['engine_unavailable', 'engine_error'];
  const ofToolbox = ['toolbox_unavailable', 'toolbox_error'];
  const ofOperation = ['operation_cancelled', 'ledger_unavailable'];

  // What the code behind each route throws, read there; beside what each route or each change can be answered with.
  const own: Record<string, string[]> = {
    'GET /': [],
    'GET /metrics': [],
    'GET /v1/kinds': ['engine_unavailable'],
    'GET /v1/kinds/{kind}': ['kind_not_found', 'engine_unavailable'],
    'GET /v1/subjects': ofEngine,
    'POST /v1/subjects': ['kind_not_found', 'subject_exists', 'compose_invalid', 'engine_unavailable', 'ledger_unavailable'],
    'GET /v1/subjects/{subject}': [...ofSubject, ...ofEngine],
    'DELETE /v1/subjects/{subject}': [
      ...ofSubject,
      ...ofOperation,
      ...ofEngine,
      ...ofToolbox,
      'subject_busy',
      'project_conflict',
      'name_conflict',
    ],
    'POST /v1/subjects/{subject}/reset': [
      ...ofSubject,
      ...ofOperation,
      ...ofEngine,
      ...ofToolbox,
      'subject_busy',
      'project_conflict',
      'name_conflict',
      'port_taken',
      'IMAGE_UNAVAILABLE',
      'not_healthy',
      'node_failed',
    ],
    'GET /v1/subjects/{subject}/health': [...ofSubject, ...ofEngine],
    'GET /v1/subjects/{subject}/state': [...ofSubject, ...ofEngine, 'subject_not_running', 'state_unavailable'],
    'GET /v1/subjects/{subject}/chaos-types': [...ofSubject, ...ofEngine],
    'GET /v1/subjects/{subject}/faults': ofSubject,
    'POST /v1/subjects/{subject}/faults': [
      ...ofSubject,
      ...ofOperation,
      ...ofEngine,
      ...ofToolbox,
      'unknown_chaos_type',
      'unknown_target',
      'subject_busy',
      'fault_conflict',
      'port_taken',
      'subject_not_running',
      'no_candidate',
      'chaos_unavailable',
      'effect_not_observed',
    ],
    'GET /v1/subjects/{subject}/faults/{fault}': [...ofSubject, 'fault_not_found'],
    'PATCH /v1/subjects/{subject}/faults/{fault}': [
      ...ofSubject,
      ...ofEngine,
      ...ofToolbox,
      'fault_not_found',
      'fault_ended',
      'ledger_unavailable',
    ],
    // A heal tells what it finds in the fault, and gets through when it heals all.
    'DELETE /v1/subjects/{subject}/faults/{fault}': [...ofSubject, ...ofOperation, 'fault_not_found', 'subject_busy'],
    'DELETE /v1/subjects/{subject}/faults': [...ofSubject, ...ofOperation],
    'GET /v1/operations/{operation}': ['operation_not_found'],
    'POST /v1/operations/{operation}/cancel': ['operation_not_found'],
    'GET /v1/events': [],
  };

  test('are those that each route can be answered with, and no other', async (t) => {
    const found = await codesByRoute(t);
    for (const open of ['GET /healthz', 'GET /readyz']) {
      assert.deepEqual(found.get(open), [], open);
      found.delete(open);
    }
    const shown = Object.fromEntries(
      [...found].map(([route, codes]) => [route, codes.filter((c) => ![...atEach, ...atChanges].includes(c)).sort()]),
    );
    assert.deepEqual(shown, Object.fromEntries(Object.entries(own).map(([route, codes]) => [route, [...codes].sort()])));
    for (const [route, codes] of found) {
      assert.deepEqual(
        atEach.filter((code) => !codes.includes(code)),
        [],
        route,
      );
      assert.equal(codes.includes('shutting_down'), !route.startsWith('GET '), route);
      assert.equal(codes.includes('idempotency_key_reused'), route.startsWith('POST '), route);
    }
  });

  test('are all of the table but those that no route has, and each is raised somewhere', async (t) => {
    const documented = new Set([...(await codesByRoute(t)).values()].flat());
    // At no path at all, and in an operation that a crash ended, which nobody waits for any more.
    const elsewhere = ['not_found', 'method_not_allowed', 'interrupted'];
    assert.deepEqual(
      Object.keys(problemTable).filter((code) => !documented.has(code)),
      elsewhere,
    );
    const src = new URL('../../src/', import.meta.url);
    const told = /^(http\/(routes|schemas)\/|http\/operation-schema\.ts$|lib\/problem\.ts$)/;
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !told.test(file));
    const text = files.map((file) => readFileSync(new URL(file, src), 'utf8')).join('\n');
    assert.deepEqual(
      Object.keys(problemTable).filter((code) => !text.includes(`'${code}'`)),
      [],
    );
  });

  test('leave the service in the same form from wherever they are raised', async (t) => {
    const broken = () => {
      throw new Problem('compose_invalid', 'compose.yaml:3:5: services.a has no image', { issues: [] });
    };
    const control = scripted({
      subject: async () => broken(),
      health: async () => broken(),
      state: async () => broken(),
      chaosTypes: async () => broken(),
      faults: broken,
      fault: broken,
      renewFault: async () => broken(),
      inject: broken,
      heal: broken,
      healAll: broken,
      reset: broken,
      deleteSubject: broken,
    });
    const app = await appFor(t, control);
    const document = await served(t);
    const payloads: Record<string, object> = { PATCH: { ttl_ms: 1 }, POST: { chaos_type: 'none' } };
    for (const { path, method, operation } of operations(document).filter((o) => o.path.includes('{subject}'))) {
      const verb = method.toUpperCase() as 'GET' | 'POST' | 'PATCH' | 'DELETE';
      const payload = path.endsWith('/reset') ? {} : payloads[verb];
      const url = path.replace('{subject}', 'etcd').replace('{fault}', 'flt_1');
      const reply = await app.inject({ method: verb, url, ...(payload === undefined ? {} : { payload }) });
      assert.deepEqual([reply.statusCode, reply.json().code], [422, 'compose_invalid'], `${verb} ${url}: ${reply.body}`);
      assert.ok(codesOf(operation).includes('compose_invalid'), `${verb} ${path}`);
    }
  });
});

describe('the pages', () => {
  test('/docs and all it needs come from here', async (t) => {
    const app = await appFor(t, scripted());
    const page = await app.inject('/docs');
    assert.equal(page.statusCode, 200);
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'; script-src 'self'/);
    const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => String(url));
    assert.ok(parts.length >= 5);
    for (const url of parts) {
      assert.match(url, /^\.?\//, 'nothing from elsewhere');
      assert.equal((await app.inject(new URL(url, 'http://localhost/docs/').pathname)).statusCode, 200, url);
    }
  });
});
