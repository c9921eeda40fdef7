import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, test } from 'node:test';
import { reset } from './calls.ts';
import { listening, pending, promised, scripted } from './scripted.ts';

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
