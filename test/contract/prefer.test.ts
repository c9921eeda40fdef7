import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Operation } from '../../src/control/operation.ts';
import { Problem } from '../../src/lib/problem.ts';
import { reset } from './calls.ts';
import { appFor, pending, scripted } from './scripted.ts';

const prefer = (value: string) => ({ ...reset, headers: { prefer: value } });

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
