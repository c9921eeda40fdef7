import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { Problem, problemTable } from '../../src/lib/problem.ts';
import { appFor, scripted } from './scripted.ts';
import { type Operation, operations, served } from './served.ts';

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
    'GET /v1/subjects/{subject}/captures': ofSubject,
    'POST /v1/subjects/{subject}/captures': [
      ...ofSubject,
      ...ofEngine,
      'capture_not_found',
      'subject_busy',
      'subject_not_running',
      'state_unavailable',
      'storage_unavailable',
    ],
    'GET /v1/subjects/{subject}/captures/{capture}': [...ofSubject, 'capture_not_found'],
    'GET /v1/subjects/{subject}/captures/{capture}/diff/{other}': [...ofSubject, 'capture_not_found', 'kind_mismatch'],
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
      assert.deepEqual(found.get(open), ['invalid_request'], open);
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
      for (const code of ['payload_too_large', 'unsupported_media_type'])
        assert.equal(codes.includes(code), !route.startsWith('GET '), route);
    }
  });

  test('are told of a body that a route cannot read, of each that reads one', async (t) => {
    const document = await served(t);
    const app = await appFor(t, scripted());
    for (const { path, method, operation } of operations(document).filter((o) => o.method !== 'get')) {
      const verb = method.toUpperCase() as 'POST' | 'PATCH' | 'DELETE';
      const url = path.replace(/\{\w+\}/g, 'x');
      for (const [type, payload, code] of [
        ['text/plain', 'all', 'unsupported_media_type'],
        ['application/json', `"${'x'.repeat(65_536)}"`, 'payload_too_large'],
        ['application/json', '{"all":true}', 'invalid_request'],
      ] as const) {
        const reply = await app.inject({ method: verb, url, payload, headers: { 'content-type': type } });
        assert.equal(reply.json().code, code, `${verb} ${url}`);
        assert.ok(codesOf(operation).includes(code), `${verb} ${path} ${code}`);
      }
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
      capture: async () => broken(),
      captures: async () => broken(),
      findCapture: async () => broken(),
      compareCaptures: async () => broken(),
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
      const payload = /\/(reset|captures)$/.test(path) && verb === 'POST' ? {} : payloads[verb];
      const url = path.replace('{subject}', 'etcd').replace('{fault}', 'flt_1');
      const reply = await app.inject({ method: verb, url, ...(payload === undefined ? {} : { payload }) });
      assert.deepEqual([reply.statusCode, reply.json().code], [422, 'compose_invalid'], `${verb} ${url}: ${reply.body}`);
      assert.ok(codesOf(operation).includes('compose_invalid'), `${verb} ${path}`);
    }
  });
});
