import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reset } from './calls.ts';
import { appFor, pending, scripted } from './scripted.ts';

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
