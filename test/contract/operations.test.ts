import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appFor, pending, scripted } from './scripted.ts';

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
