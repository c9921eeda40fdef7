import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appFor, pending, scripted } from './scripted.ts';
import { willing } from './willing.ts';

describe('the form of a body', () => {
  const post = (payload: string | Buffer, type?: string) => ({
    method: 'POST' as const,
    url: '/v1/subjects/etcd/reset',
    payload,
    headers: type === undefined ? {} : { 'content-type': type },
  });

  test('what is not JSON by its type is 415', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/jsonx', 'nonsense']) {
      const reply = await app.inject(post('{}', type));
      assert.equal(reply.statusCode, 415, type);
      assert.equal(reply.json().code, 'unsupported_media_type');
    }
    assert.equal((await app.inject(post('{}'))).statusCode, 415);
    assert.deepEqual(control.calls, []);
  });

  test('what is not JSON by its content is 400', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    for (const payload of ['{', '{"timeout_ms":}', 'null null', '   ', "{'a':1}", '\u0000']) {
      const reply = await app.inject(post(payload, 'application/json'));
      assert.equal(reply.statusCode, 400, payload);
      assert.equal(reply.json().errors[0].in, 'body');
    }
    assert.deepEqual(control.calls, []);
  });

  test('more than 64 KiB is 413', async (t) => {
    const app = await appFor(t, willing());
    const body = (size: number) => JSON.stringify({ timeout_ms: 5, filler: 'x'.repeat(size) });
    assert.equal((await app.inject(post(body(65_536), 'application/json'))).json().code, 'payload_too_large');
    assert.equal((await app.inject(post(body(65_000), 'application/json'))).json().code, 'invalid_request');
  });

  test('a body that may be left out is left out in any way', async (t) => {
    const seen: unknown[] = [];
    const app = await appFor(
      t,
      scripted({
        reset: (name, options) => {
          seen.push([name, options]);
          const running = pending();
          running.end({ state: 'succeeded', result: {} });
          return running;
        },
      }),
    );
    const url = '/v1/subjects/etcd/reset';
    const json = { 'content-type': 'application/json; charset=utf-8' };
    for (const request of [{}, { headers: json }, { headers: json, payload: '{}' }, { headers: { 'content-length': '0' } }]) {
      assert.equal((await app.inject({ method: 'POST', url, ...request })).statusCode, 200);
    }
    assert.deepEqual(seen, Array(4).fill(['etcd', {}]));
  });
});
