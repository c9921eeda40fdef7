import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem } from '../../src/lib/problem.ts';
import { reset } from './calls.ts';
import { appFor, pending, scripted } from './scripted.ts';

describe('calls that change a subject', () => {
  test('answer with the result when the work has ended', async (t) => {
    const running = pending();
    const app = await appFor(t, scripted({ reset: () => running }));
    const answer = app.inject(reset);
    running.end({ state: 'succeeded', result: { healthy: true, anything: { else: [1] } } });
    const reply = await answer;
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers['x-operation-id'], 'op_1');
    assert.deepEqual(reply.json(), { healthy: true, anything: { else: [1] } });
  });

  test('answer 201 with the place of the fault, 200 for what is undone', async (t) => {
    const done = (result: unknown) => {
      const running = pending();
      running.end({ state: 'succeeded', result });
      return running;
    };
    const app = await appFor(
      t,
      scripted({
        inject: () => done({ id: 'flt_9' }),
        heal: () => done({ id: 'flt_9' }),
        healAll: () => done({ faults: [] }),
        deleteSubject: () => done({ name: 'etcd' }),
      }),
    );
    const injected = await app.inject({ method: 'POST', url: '/v1/subjects/etcd/faults', payload: { chaos_type: 'none' } });
    assert.equal(injected.statusCode, 201);
    assert.equal(injected.headers.location, '/v1/subjects/etcd/faults/flt_9');
    for (const url of ['/v1/subjects/etcd/faults/flt_9', '/v1/subjects/etcd/faults', '/v1/subjects/etcd']) {
      const reply = await app.inject({ method: 'DELETE', url });
      assert.equal(reply.statusCode, 200);
      assert.equal(reply.headers['x-operation-id'], 'op_1');
    }
  });

  test('answer with the error of the operation and its status', async (t) => {
    const running = pending();
    running.end({ state: 'failed', error: new Problem('not_healthy', 'etcd1 is not.', { nodes: ['etcd1'] }).toBody() });
    const app = await appFor(t, scripted({ reset: () => running }));
    const reply = await app.inject(reset);
    assert.equal(reply.statusCode, 504);
    assert.equal(reply.headers['content-type'], 'application/problem+json');
    assert.equal(reply.headers['x-operation-id'], 'op_1');
    const { code, nodes, instance, request_id } = reply.json();
    assert.deepEqual({ code, nodes, instance }, { code: 'not_healthy', nodes: ['etcd1'], instance: reset.url });
    assert.equal(request_id, reply.headers['x-request-id']);
  });

  test('answer 409 when the operation was cancelled', async (t) => {
    const running = pending();
    running.end({ state: 'cancelled' });
    const reply = await (await appFor(t, scripted({ reset: () => running }))).inject(reset);
    assert.equal(reply.statusCode, 409);
    assert.equal(reply.json().code, 'operation_cancelled');
    assert.equal(reply.json().operation, 'op_1');
  });

  test('answer 409 with Retry-After and the holder when the subject is busy', async (t) => {
    const busy = (extra: object) =>
      scripted({
        reset: () => {
          throw new Problem('subject_busy', 'op_7 holds etcd.', { operation: 'op_7', ...extra });
        },
      });
    const reply = await (await appFor(t, busy({}))).inject(reset);
    assert.equal(reply.statusCode, 409);
    assert.equal(reply.headers['retry-after'], '1');
    assert.equal(reply.json().operation, 'op_7');
    assert.equal((await (await appFor(t, busy({ retry_after_s: 4.2 }))).inject(reset)).headers['retry-after'], '5');
  });

  test('hand their own words on to the control', async (t) => {
    const seen: unknown[] = [];
    const ended = () => {
      const running = pending();
      running.end({ state: 'succeeded', result: {} });
      return running;
    };
    const app = await appFor(
      t,
      scripted({
        reset: (...args) => {
          seen.push(args);
          return ended();
        },
        inject: (...args) => {
          seen.push(args);
          return ended();
        },
        renewFault: async (...args) => {
          seen.push(args);
          return {} as never;
        },
      }),
    );
    const fault = {
      chaos_type: 'node_kill',
      target: { type: 'etcd', share: 'minority' },
      params: { signal: 'SIGKILL' },
      seed: 0,
      ttl_ms: 1,
      require_effect: false,
      on_target_restart: 'once',
    };
    await app.inject({ ...reset, payload: { timeout_ms: 1000 } });
    await app.inject({ method: 'POST', url: '/v1/subjects/etcd/faults', payload: { ...fault, dry_run: false } });
    await app.inject({ method: 'PATCH', url: '/v1/subjects/etcd/faults/flt_9', payload: { ttl_ms: 5 } });
    assert.deepEqual(seen, [
      ['etcd', { timeoutMs: 1000 }],
      ['etcd', fault],
      ['etcd', 'flt_9', 5],
    ]);
  });

  test('a dry run asks for the plan and injects nothing', async (t) => {
    const control = scripted({ planFault: async () => ({ dry_run: true, chaos_type: 'none' }) as never });
    const reply = await (await appFor(t, control)).inject({
      method: 'POST',
      url: '/v1/subjects/etcd/faults',
      payload: { chaos_type: 'none', dry_run: true },
      headers: { prefer: 'respond-async' },
    });
    assert.equal(reply.statusCode, 200);
    assert.deepEqual(reply.json(), { dry_run: true, chaos_type: 'none' });
    assert.deepEqual(control.calls, ['planFault']);
  });
});
