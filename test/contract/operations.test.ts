import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, test } from 'node:test';
import type { Operation } from '../../src/control/operation.ts';
import { Problem } from '../../src/lib/problem.ts';
import { appFor, listening, pending, promised, scripted } from './scripted.ts';

const reset = { method: 'POST' as const, url: '/v1/subjects/etcd/reset' };
const prefer = (value: string) => ({ ...reset, headers: { prefer: value } });

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

describe('Prefer', () => {
  const control = (running: ReturnType<typeof pending>) =>
    scripted({ reset: () => running, operation: async () => running.operation as Operation });

  test('respond-async answers the operation at once', async (t) => {
    const running = pending();
    const reply = await (await appFor(t, control(running))).inject(prefer('respond-async'));
    assert.equal(reply.statusCode, 202);
    assert.equal(reply.headers.location, '/v1/operations/op_1');
    assert.equal(reply.headers['preference-applied'], 'respond-async');
    assert.equal(reply.headers['x-operation-id'], 'op_1');
    assert.deepEqual(reply.json(), running.operation);
  });

  test('wait=N answers the result when the work ends within N seconds', async (t) => {
    const running = pending();
    const answer = (await appFor(t, control(running))).inject(prefer('wait=600'));
    running.end({ state: 'succeeded', result: { healthy: true } });
    const reply = await answer;
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers['preference-applied'], undefined);
  });

  test('wait=N answers the operation when the work does not', async (t) => {
    const reply = await (await appFor(t, control(pending()))).inject(prefer('respond-async, wait=1'));
    assert.equal(reply.statusCode, 202);
    assert.equal(reply.headers['preference-applied'], 'respond-async, wait=1');
  });

  test('an error that comes before the work began is answered as it is', async (t) => {
    const busy = scripted({
      reset: () => {
        throw new Problem('subject_busy', 'op_7 holds etcd.');
      },
    });
    assert.equal((await (await appFor(t, busy)).inject(prefer('respond-async'))).statusCode, 409);
  });
});

describe('a client that hangs up', () => {
  test('cancels no change', async (t) => {
    const running = pending();
    const began = promised();
    const control = scripted({
      reset: () => {
        began.keep();
        return running;
      },
    });
    const { app, base } = await listening(t, control);
    const closed = promised();
    app.server.on('connection', (socket) => socket.on('close', () => closed.keep()));
    const client = httpRequest(`${base}${reset.url}`, { method: 'POST' });
    client.on('error', () => {});
    client.end();
    await began.promise;
    client.destroy();
    await closed.promise;
    running.end({ state: 'succeeded', result: {} });
    await running.ended;
    assert.deepEqual(control.calls, ['reset']);
  });

  test('ends the waits it asked for, and only those', async (t) => {
    for (const path of [
      '/v1/operations/op_1?wait_ms=600000',
      '/v1/subjects/etcd/health?wait=healthy&timeout_ms=600000',
      '/v1/subjects/etcd/state',
    ]) {
      const began = promised<AbortSignal>();
      const wait = (signal: AbortSignal) => {
        began.keep(signal);
        return new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      };
      const control = scripted({
        operation: (_id, _ms, signal) => wait(signal),
        health: (_name, _options, signal) => wait(signal),
        state: (_name, signal) => wait(signal),
      });
      const { base } = await listening(t, control);
      const client = httpRequest(`${base}${path}`);
      client.on('error', () => {});
      client.end();
      const signal = await began.promise;
      assert.equal(signal.aborted, false);
      const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      client.destroy();
      await aborted;
      assert.match(String(signal.reason), /hung up/);
    }
  });

  test('a call whose body was read still counts as waiting', async (t) => {
    const running = pending();
    const { base } = await listening(t, scripted({ reset: () => running }));
    const answer = fetch(`${base}${reset.url}`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
    setImmediate(() => running.end({ state: 'succeeded', result: { healthy: true } }));
    assert.equal((await answer).status, 200);
  });
});

describe('operations', () => {
  test('are shown and waited for', async (t) => {
    const seen: unknown[] = [];
    const app = await appFor(
      t,
      scripted({
        operation: async (id, waitMs) => {
          seen.push([id, waitMs]);
          return pending().operation;
        },
      }),
    );
    assert.equal((await app.inject('/v1/operations/op_1')).json().state, 'running');
    await app.inject('/v1/operations/op_1?wait_ms=250');
    assert.deepEqual(seen, [
      ['op_1', 0],
      ['op_1', 250],
    ]);
  });

  test('are cancelled', async (t) => {
    const app = await appFor(t, scripted({ cancelOperation: () => pending().operation }));
    for (const payload of [undefined, {}]) {
      const reply = await app.inject({ method: 'POST', url: '/v1/operations/op_1/cancel', ...(payload ? { payload } : {}) });
      assert.equal(reply.statusCode, 200);
      assert.equal(reply.json().id, 'op_1');
    }
  });
});

describe('a service that is shutting down', () => {
  test('begins nothing new, shows what there is, and is not ready', async (t) => {
    let closing = false;
    const control = scripted({
      reset: () => pending(),
      kinds: async () => [],
      readiness: async () => ({ engine: true, ledger: true }),
    });
    const app = await appFor(t, control, { shuttingDown: () => closing });
    assert.equal((await app.inject('/readyz')).statusCode, 200);
    closing = true;
    const reply = await app.inject(reset);
    assert.equal(reply.statusCode, 503);
    assert.equal(reply.json().code, 'shutting_down');
    assert.equal(reply.headers['retry-after'], '1');
    assert.equal((await app.inject('/v1/kinds')).statusCode, 200);
    const ready = await app.inject('/readyz');
    assert.equal(ready.statusCode, 503);
    assert.deepEqual(ready.json(), { ready: false, engine: true, ledger: true });
    assert.equal((await app.inject('/healthz')).statusCode, 200);
  });

  test('is not ready without its engine or its ledger, or when nobody can tell', async (t) => {
    for (const [readiness, expected] of [
      [async () => ({ engine: false, ledger: true }), { ready: false, engine: false, ledger: true }],
      [async () => ({ engine: true, ledger: false }), { ready: false, engine: true, ledger: false }],
      [() => Promise.reject(new Error('nobody knows')), { ready: false, engine: false, ledger: false }],
    ] as const) {
      const reply = await (await appFor(t, scripted({ readiness }))).inject('/readyz');
      assert.equal(reply.statusCode, 503);
      assert.deepEqual(reply.json(), expected);
    }
  });
});
