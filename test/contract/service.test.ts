import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { startService } from './real.ts';
import { strictly } from './strict.ts';

interface Example {
  method: 'POST' | 'PATCH';
  path: string;
  name: string;
  value: object;
}
interface Document {
  components: { schemas: Record<string, Record<string, unknown>> };
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { examples: Record<string, { value: object }> }> } }>>;
}

describe('the service on a real engine', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'subjectd-service-'));
  let app: FastifyInstance;
  let close = async () => {};
  let document: Document;
  let matches: ReturnType<typeof strictly>;

  const get = async (url: string) => app.inject({ url });
  const send = async (method: 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object, headers: Record<string, string> = {}) =>
    app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
  const ok = (reply: LightMyRequestResponse, status = 200) => {
    assert.equal(reply.statusCode, status, reply.body);
    return reply.json();
  };
  const events = async (): Promise<{ id: number; type: string }[]> =>
    (await app.inject({ url: '/v1/events?limit=1000', headers: { accept: 'application/json' } })).json().events;

  before(async () => {
    ({ app, close } = await startService(dataDir));
    document = (await get('/openapi.json')).json();
    matches = strictly(document);
  });
  after(async () => {
    for (const { name } of (await get('/v1/subjects')).json().subjects) {
      if (name.startsWith('etcd')) await send('DELETE', `/v1/subjects/${name}`);
    }
    await close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('is alive and ready', async () => {
    ok(await get('/healthz'));
    assert.deepEqual(ok(await get('/readyz')), { ready: true, engine: true, ledger: true });
    assert.match((await get('/metrics')).body, /^subjectd_engine_up 1$/m);
  });

  test('shows its kinds and subjects as the contract says', async () => {
    const { kinds } = ok(await get('/v1/kinds'));
    assert.deepEqual(
      kinds.map((kind: { name: string }) => kind.name),
      ['etcd', 'ratelimiter', 'tikv'],
    );
    matches('KindList', ok(await get('/v1/kinds')));
    matches('Kind', ok(await get('/v1/kinds/etcd')));
    matches('SubjectList', ok(await get('/v1/subjects')));
    matches('Subject', ok(await get('/v1/subjects/etcd')));
    matches('Health', ok(await get('/v1/subjects/etcd/health')));
    matches('Health', ok(await get('/v1/subjects/etcd/health?fresh=true')));
    matches('ChaosTypeList', ok(await get('/v1/subjects/etcd/chaos-types')));
    matches('FaultList', ok(await get('/v1/subjects/etcd/faults')));
    matches('EventList', (await app.inject({ url: '/v1/events', headers: { accept: 'application/json' } })).json());
  });

  const unknown = [
    ['a subject', 'GET', '/v1/subjects/nosuch', undefined, 404, 'subject_not_found', /etcd, ratelimiter, tikv/],
    ['a subject to reset', 'POST', '/v1/subjects/nosuch/reset', {}, 404, 'subject_not_found', /./],
    ['a subject to tear down', 'DELETE', '/v1/subjects/..%2f..%2fetc', undefined, 404, 'subject_not_found', /./],
    [
      'a subject with a shell in its name',
      'POST',
      '/v1/subjects/etcd;rm%20-rf/faults',
      { chaos_type: 'none' },
      404,
      'subject_not_found',
      /./,
    ],
    ['a subject of the prototype', 'GET', '/v1/subjects/__proto__/health', undefined, 404, 'subject_not_found', /./],
    ['a kind', 'GET', '/v1/kinds/nosuch', undefined, 404, 'kind_not_found', /etcd/],
    ['a kind to copy', 'POST', '/v1/subjects', { kind: 'nosuch' }, 404, 'kind_not_found', /etcd/],
    ['a name that is taken', 'POST', '/v1/subjects', { kind: 'etcd', name: 'etcd' }, 409, 'subject_exists', /etcd/],
    [
      'a chaos type',
      'POST',
      '/v1/subjects/etcd/faults',
      { chaos_type: 'x' },
      400,
      'unknown_chaos_type',
      /^Unknown chaos type: x\. Supported: \[.*node_kill.*\]/,
    ],
    ['a node', 'POST', '/v1/subjects/etcd/faults', { chaos_type: 'node_kill', target: { node: 'x' } }, 400, 'unknown_target', /etcd/],
    ['a type', 'POST', '/v1/subjects/etcd/faults', { chaos_type: 'node_kill', target: { type: 'x' } }, 400, 'unknown_target', /etcd/],
    ['a role', 'POST', '/v1/subjects/etcd/faults', { chaos_type: 'node_kill', target: { role: 'x' } }, 400, 'unknown_target', /leader/],
    ['a parameter', 'POST', '/v1/subjects/etcd/faults', { chaos_type: 'node_kill', params: { x: 1 } }, 400, 'invalid_request', /x/],
    ['a fault', 'GET', '/v1/subjects/etcd/faults/flt_x', undefined, 404, 'fault_not_found', /flt_x/],
    ['a fault to heal', 'DELETE', '/v1/subjects/etcd/faults/%00', undefined, 404, 'fault_not_found', /./],
    ['a fault to renew', 'PATCH', '/v1/subjects/etcd/faults/flt_x', { ttl_ms: 1 }, 404, 'fault_not_found', /./],
    ['a capture', 'GET', '/v1/subjects/etcd/captures/cap_x', undefined, 404, 'capture_not_found', /etcd/],
    ['the captures of a subject', 'GET', '/v1/subjects/nosuch/captures', undefined, 404, 'subject_not_found', /etcd/],
    ['captures to compare', 'GET', '/v1/subjects/etcd/captures/..%2fx/diff/x', undefined, 404, 'capture_not_found', /etcd/],
    ['a capture of what is not there', 'POST', '/v1/subjects/etcd/captures', {}, 422, 'subject_not_running', /etcd/],
    ['an operation', 'GET', '/v1/operations/op_x', undefined, 404, 'operation_not_found', /op_x/],
    ['an operation to cancel', 'POST', '/v1/operations/op_x/cancel', {}, 404, 'operation_not_found', /op_x/],
    ['the state of what is not there', 'GET', '/v1/subjects/etcd/state', undefined, 422, 'subject_not_running', /etcd/],
    ['a victim in what is not there', 'POST', '/v1/subjects/etcd/faults', { chaos_type: 'node_kill' }, 422, 'subject_not_running', /etcd/],
  ] as const;
  for (const [what, method, url, payload, status, code, detail] of unknown) {
    test(`asked for ${what} it cannot have, says so and changes nothing`, async () => {
      const before = await events();
      const reply = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
      const problem = ok(reply, status);
      assert.equal(reply.headers['content-type'], 'application/problem+json');
      assert.equal(problem.code, code);
      assert.match(problem.detail, detail);
      matches('Problem', problem);
      const changes = (await events()).slice(before.length).filter(({ type }) => !type.startsWith('health.'));
      assert.deepEqual(changes, []);
    });
  }

  test('runs every example of its documentation as it stands', async () => {
    const examples = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { requestBody }]) =>
        Object.entries(requestBody?.content['application/json']?.examples ?? {}).map(([name, { value }]): Example => {
          return { method: method.toUpperCase() as Example['method'], path, name, value };
        }),
      ),
    );
    const of = (path: string) => examples.filter((example) => example.path === path);
    const kinds = {
      subjects: '/v1/subjects',
      reset: '/v1/subjects/{subject}/reset',
      captures: '/v1/subjects/{subject}/captures',
      faults: '/v1/subjects/{subject}/faults',
      fault: '/v1/subjects/{subject}/faults/{fault}',
      cancel: '/v1/operations/{operation}/cancel',
    };
    assert.equal(examples.length, Object.values(kinds).flatMap(of).length, 'an example that no test runs');
    const run = async ({ method, path, value }: Example, ids: Record<string, string> = {}) =>
      send(
        method,
        path.replace(/\{(\w+)\}/g, (_whole, name: string) => ids[name] ?? 'etcd'),
        value,
      );

    for (const example of of(kinds.subjects)) {
      const reply = await run(example);
      matches('Subject', ok(reply, 201));
      assert.equal(reply.headers.location, `/v1/subjects/${reply.json().name}`);
    }
    let operation = '';
    for (const example of of(kinds.reset)) {
      const reply = await run(example);
      matches('Reset', ok(reply));
      operation = String(reply.headers['x-operation-id']);
    }
    matches('State', ok(await get('/v1/subjects/etcd/state')));
    matches('Subject', ok(await get('/v1/subjects/etcd')));
    for (const example of of(kinds.captures)) {
      const reply = await run(example);
      const capture = ok(reply, 201);
      matches('Capture', capture);
      assert.deepEqual([capture.label, capture.complete], ['label' in example.value ? example.value.label : null, true]);
      assert.deepEqual(ok(await get(String(reply.headers.location))), capture);
    }
    for (const example of of(kinds.faults)) {
      const reply = await run(example);
      if ('dry_run' in example.value) {
        matches('FaultPlan', ok(reply));
        continue;
      }
      const fault = ok(reply, 201);
      matches('Fault', fault);
      assert.equal(fault.effect.verdict, 'confirmed', example.name);
      assert.equal(reply.headers.location, `/v1/subjects/etcd/faults/${fault.id}`);
      assert.deepEqual(ok(await get(String(reply.headers.location))), fault);
      for (const renewal of of(kinds.fault)) matches('Fault', ok(await run(renewal, { fault: fault.id })));
      const healed = ok(await send('DELETE', `/v1/subjects/etcd/faults/${fault.id}`));
      matches('Fault', healed);
      assert.deepEqual([healed.state, healed.heal.verdict], ['healed', 'clean'], example.name);
      assert.deepEqual(ok(await send('DELETE', `/v1/subjects/etcd/faults/${fault.id}`)), healed);
    }
    for (const example of of(kinds.cancel)) matches('Operation', ok(await run(example, { operation })));
  });

  test('answers the same to a call that waits and to one that does not', async () => {
    const accepted = await send('POST', '/v1/subjects/etcd/faults', { chaos_type: 'none', seed: 3 }, { prefer: 'respond-async' });
    matches('Operation', ok(accepted, 202));
    const ended = ok(await get(`${accepted.headers.location}?wait_ms=60000`));
    matches('Operation', ended);
    assert.equal(ended.state, 'succeeded');
    matches('Fault', ended.result);
    const { id } = ended.result;
    assert.deepEqual(ok(await get(`/v1/subjects/etcd/faults/${id}`)), ended.result);
    ok(await send('DELETE', `/v1/subjects/etcd/faults/${id}`));
    assert.deepEqual(ok(await get(String(accepted.headers.location))).result, ended.result, 'a result stays what it was');
  });

  test('lets one writer in, names it to the others, and cancels it', async () => {
    const accepted = await send('POST', '/v1/subjects/etcd/reset', {}, { prefer: 'respond-async' });
    const { id } = ok(accepted, 202);
    const busy = await send('POST', '/v1/subjects/etcd/reset');
    assert.equal(ok(busy, 409).code, 'subject_busy');
    assert.ok(busy.body.includes(id));
    assert.ok(busy.headers['retry-after']);
    ok(await send('POST', `/v1/operations/${id}/cancel`));
    const ended = ok(await get(`/v1/operations/${id}?wait_ms=60000`));
    matches('Operation', ended);
    assert.equal(ended.state, 'cancelled');
    assert.equal(ended.error.code, 'operation_cancelled');
  });

  test('injects once for one key', async () => {
    ok(await send('POST', '/v1/subjects/etcd/reset'));
    const key = { 'idempotency-key': 'one' };
    const [first, second] = await Promise.all([1, 2].map(() => send('POST', '/v1/subjects/etcd/faults', { chaos_type: 'none' }, key)));
    assert.equal(ok(first as LightMyRequestResponse, 201).id, ok(second as LightMyRequestResponse, 201).id);
    assert.equal((await send('POST', '/v1/subjects/etcd/faults', { chaos_type: 'none' }, key)).json().id, first?.json().id);
    const { faults } = ok(await send('DELETE', '/v1/subjects/etcd/faults'));
    assert.equal(faults.length, 1);
    matches('HealedFaults', { faults });
  });

  test('lists faults newest first, page by page', async () => {
    const all = ok(await get('/v1/subjects/etcd/faults')).faults.map((fault: { id: string }) => fault.id);
    assert.ok(all.length >= 4);
    assert.deepEqual(all, [...all].sort().reverse());
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { faults: { id: string }[]; next_cursor: string | null } = ok(
        await get(`/v1/subjects/etcd/faults?limit=1${cursor === null ? '' : `&cursor=${cursor}`}`),
      );
      seen.push(...page.faults.map((fault) => fault.id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    assert.deepEqual(seen, all);
  });

  test('keeps captures, newest first, and compares them', async () => {
    const take = async (label: string) => ok(await send('POST', '/v1/subjects/etcd/captures', { label }), 201);
    const [before, after] = [await take('before'), await take('after')];
    const { captures } = ok(await get('/v1/subjects/etcd/captures?limit=2'));
    matches('CaptureList', ok(await get('/v1/subjects/etcd/captures')));
    assert.deepEqual(
      captures.map((c: { label: string }) => c.label),
      ['after', 'before'],
    );
    const same = ok(await get(`/v1/subjects/etcd/captures/${before.id}/diff/${after.id}`));
    matches('Comparison', same);
    assert.deepEqual([same.comparable, same.equal, same.changes, same.unknown], [true, true, [], []]);
    const { nodes: _nodes, state: _state, ...summary } = before;
    assert.deepEqual([captures[1], same.a], [summary, summary]);
    const key = { 'idempotency-key': 'a-capture' };
    const [first, second] = await Promise.all([1, 2].map(() => send('POST', '/v1/subjects/etcd/captures', {}, key)));
    assert.equal(ok(first as LightMyRequestResponse, 201).id, second?.json().id);
    const again = await send('POST', '/v1/subjects/etcd/captures', {}, key);
    assert.deepEqual([again.headers['idempotency-replayed'], again.json()], ['true', first?.json()], 'read again, and not kept twice');
    assert.ok((await events()).some(({ type }) => type === 'capture.taken'));
  });

  test('tears down without residue, and a copy leaves the list', async () => {
    matches('Subject', ok(await send('DELETE', '/v1/subjects/etcd')));
    assert.equal(ok(await get('/v1/subjects/etcd')).phase, 'absent');
    ok(await send('DELETE', '/v1/subjects/etcd-1'));
    ok(await get('/v1/subjects/etcd-1'), 404);
  });

  test('shows its subjects on its first page', async () => {
    const reply = await get('/');
    assert.equal(reply.statusCode, 200);
    for (const name of ['etcd', 'ratelimiter', 'tikv']) assert.ok(reply.body.includes(`/v1/subjects/${name}`));
  });
});
