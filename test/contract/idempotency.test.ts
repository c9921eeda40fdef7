import assert from 'node:assert/strict';
import { appendFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Running } from '../../src/control/api.ts';
import { type IdempotencyStore, type Kept, MemoryIdempotencyStore, openIdempotencyStore } from '../../src/http/idempotency-store.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { Problem } from '../../src/lib/problem.ts';
import { appFor, folder, listening, pending, promised, scripted } from './scripted.ts';

const url = '/v1/subjects/etcd/faults';
const call = (key: string, payload: object = { chaos_type: 'none', seed: 1 }, more: Record<string, string> = {}) => ({
  method: 'POST' as const,
  url,
  payload,
  headers: { 'idempotency-key': key, ...more },
});

/** Injections that end at once, each with an id of its own. */
function counting() {
  let count = 0;
  const views: { id: string; state: string }[] = [];
  const control = scripted({
    inject: () => {
      const running = pending('inject', `op_${++count}`);
      const view = { id: `flt_${count}`, state: 'active' };
      views.push(view);
      running.end({ state: 'succeeded', result: view });
      return running;
    },
  });
  return { control, views };
}

/** A control whose injection has begun and does not end until `running` is told to. */
function held() {
  const running = pending('inject');
  const began = promised();
  const inject = () => {
    began.keep();
    return running;
  };
  return { running, began, control: scripted({ inject, operation: async () => running.operation }) };
}

describe('Idempotency-Key', () => {
  test('the same key and request get the first answer again, as it was', async (t) => {
    const { control, views } = counting();
    const app = await appFor(t, control);
    const first = await app.inject(call('k'));
    for (const view of views) view.state = 'healed';
    const again = await app.inject({ ...call('k'), payload: { seed: 1, chaos_type: 'none' } });
    assert.equal(again.statusCode, 201);
    assert.equal(again.body, first.body);
    assert.equal(again.headers.location, '/v1/subjects/etcd/faults/flt_1');
    assert.equal(again.headers['x-operation-id'], 'op_1');
    assert.equal(again.headers['idempotency-replayed'], 'true');
    assert.equal(first.headers['idempotency-replayed'], undefined);
    assert.deepEqual(control.calls, ['inject']);
  });

  test('another key, or none, runs anew', async (t) => {
    const { control } = counting();
    const app = await appFor(t, control);
    for (const key of ['a', 'b']) assert.equal((await app.inject(call(key))).headers['idempotency-replayed'], undefined);
    await app.inject({ ...call(''), headers: {} });
    assert.equal(control.calls.length, 3);
  });

  test('the same key with another body or path is refused', async (t) => {
    const { control } = counting();
    const app = await appFor(t, control);
    await app.inject(call('k'));
    for (const other of [call('k', { chaos_type: 'none', seed: 2 }), { ...call('k'), url: '/v1/subjects/tikv/faults' }]) {
      const reply = await app.inject(other);
      assert.equal(reply.statusCode, 422);
      assert.equal(reply.json().code, 'idempotency_key_reused');
    }
    assert.deepEqual(control.calls, ['inject']);
  });

  test('a second call waits for the first one while it runs', async (t) => {
    const { running, began, control } = held();
    const app = await appFor(t, control);
    const first = app.inject(call('k')).then((reply) => reply);
    await began.promise;
    const second = app.inject(call('k')).then((reply) => reply);
    const other = app.inject(call('k', { chaos_type: 'none', seed: 2 }));
    const hasty = await app.inject(call('k', undefined, { prefer: 'respond-async' }));
    assert.equal(hasty.statusCode, 202);
    assert.equal((await other).statusCode, 422);
    running.end({ state: 'succeeded', result: { id: 'flt_1' } });
    const replies = await Promise.all([first, second]);
    assert.deepEqual(
      replies.map(({ statusCode, headers }) => [statusCode, headers['idempotency-replayed']]),
      [
        [201, undefined],
        [201, 'true'],
      ],
    );
    assert.deepEqual(
      control.calls.filter((name) => name === 'inject'),
      ['inject'],
    );
  });

  test('an asynchronous answer names the same operation again', async (t) => {
    const running = pending('inject');
    const app = await appFor(t, scripted({ inject: () => running, operation: async () => running.operation }));
    const first = await app.inject(call('k', undefined, { prefer: 'respond-async' }));
    const again = await app.inject(call('k', undefined, { prefer: 'respond-async' }));
    assert.deepEqual([first.statusCode, again.statusCode], [202, 202]);
    assert.equal(again.headers.location, first.headers.location);
    assert.equal(again.body, first.body);
  });

  test('an error that the work ended with is given again', async (t) => {
    const running = pending('inject');
    running.end({ state: 'failed', error: new Problem('effect_not_observed', 'Nothing happened.').toBody() });
    const control = scripted({ inject: () => running });
    const app = await appFor(t, control);
    const first = await app.inject(call('k'));
    const again = await app.inject(call('k', undefined, { 'x-request-id': 'the-second' }));
    assert.equal(again.statusCode, 422);
    assert.equal(again.headers['content-type'], 'application/problem+json');
    assert.equal(first.json().request_id, first.headers['x-request-id']);
    assert.equal(again.headers['x-request-id'], 'the-second');
    assert.deepEqual(again.json(), { ...first.json(), request_id: 'the-second' });
    assert.deepEqual(control.calls, ['inject']);
  });

  test('who waited for the error of another request gets it with its own request id, and after a restart too', async (t) => {
    const path = join(folder(t), 'idempotency.ndjson');
    const before = await openIdempotencyStore(path);
    const { running, began, control } = held();
    const app = await appFor(t, control, { idempotency: before });
    const as = (id: string) => call('k', undefined, { 'x-request-id': id });
    const first = app.inject(as('a')).then((reply) => reply);
    await began.promise;
    const second = app.inject(as('b')).then((reply) => reply);
    await app.inject(call('k', undefined, { prefer: 'respond-async' }));
    running.end({ state: 'failed', error: new Problem('effect_not_observed', 'Nothing happened.').toBody() });
    const replies = await Promise.all([first, second]);
    await before.close();
    const after = await openIdempotencyStore(path);
    t.after(() => after.close());
    replies.push(await (await appFor(t, control, { idempotency: after })).inject(as('c')));
    assert.deepEqual(
      replies.map((reply) => [reply.statusCode, reply.headers['x-request-id'], reply.json().request_id, reply.json().instance]),
      ['a', 'b', 'c'].map((id) => [422, id, id, url]),
    );
    assert.deepEqual(
      control.calls.filter((name) => name === 'inject'),
      ['inject'],
    );
  });

  test('what changed nothing and passes does not stick to the key', async (t) => {
    for (const code of ['subject_busy', 'engine_unavailable', 'ledger_unavailable'] as const) {
      let ill = true;
      const { control } = counting();
      const app = await appFor(
        t,
        scripted({
          inject: (...args): Running => {
            if (ill) throw new Problem(code, 'Not now.');
            return control.inject(...args);
          },
        }),
      );
      assert.notEqual((await app.inject(call('k'))).statusCode, 201);
      ill = false;
      assert.equal((await app.inject(call('k'))).statusCode, 201, code);
    }
  });

  test('a request that is not valid does not use the key up', async (t) => {
    const { control } = counting();
    const app = await appFor(t, control);
    assert.equal((await app.inject(call('k', { chaos_type: 5 }))).statusCode, 400);
    assert.equal((await app.inject(call('k'))).statusCode, 201);
  });

  test('a key that is empty, too long or not visible is refused', async (t) => {
    const { control } = counting();
    const { base } = await listening(t, control);
    const post = (key: string) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      return fetch(base + url, { method: 'POST', body: '{"chaos_type":"none"}', headers });
    };
    for (const key of ['', 'a b', 'x'.repeat(256), '\u00e9']) {
      const reply = await post(key);
      assert.equal(reply.status, 400, `"${key}"`);
      assert.equal(((await reply.json()) as { errors: { path: string }[] }).errors[0]?.path, 'idempotency-key');
    }
    assert.equal((await post('x'.repeat(255))).status, 201);
    assert.deepEqual(control.calls, ['inject']);
  });

  test('the answer stands when it cannot be kept', async (t) => {
    const { control } = counting();
    const broken: IdempotencyStore = { get: () => undefined, put: () => Promise.reject(new Problem('ledger_unavailable', 'Full.')) };
    assert.equal((await (await appFor(t, control, { idempotency: broken })).inject(call('k'))).statusCode, 201);
  });

  test('the first answer is given again after a restart', async (t) => {
    const path = join(folder(t), 'idempotency.ndjson');
    const { control } = counting();
    const before = await openIdempotencyStore(path);
    const first = await (await appFor(t, control, { idempotency: before })).inject(call('k'));
    await before.close();
    appendFileSync(path, '{"key":"torn","ke');
    const after = await openIdempotencyStore(path);
    t.after(() => after.close());
    const again = await (await appFor(t, control, { idempotency: after })).inject(call('k'));
    assert.equal(again.body, first.body);
    assert.equal(again.headers.location, first.headers.location);
    assert.deepEqual(control.calls, ['inject']);
  });
});

describe('what is kept', () => {
  const clock = (): Clock & { at: number } => ({
    at: 1_000_000,
    now() {
      return this.at;
    },
    mono() {
      return this.at;
    },
  });
  const kept = (at: number, n = 0): Kept => ({ fingerprint: `f${n}`, at, answer: { status: 200, headers: {}, body: { n } } });

  test('is forgotten after a day', async () => {
    const time = clock();
    const store = new MemoryIdempotencyStore(time);
    await store.put('k', kept(time.at));
    time.at += 24 * 3_600_000 - 1;
    assert.ok(store.get('k'));
    time.at += 1;
    assert.equal(store.get('k'), undefined);
  });

  test('is the newest thousand', async () => {
    const time = clock();
    const store = new MemoryIdempotencyStore(time);
    for (let n = 0; n < 1001; n++) await store.put(`k${n}`, kept(time.at, n));
    assert.equal(store.get('k0'), undefined);
    assert.deepEqual(store.get('k1000')?.answer.body, { n: 1000 });
    assert.equal(store.entries().length, 1000);
  });

  test('does not make the file grow without end', async (t) => {
    const path = join(folder(t), 'idempotency.ndjson');
    const time = clock();
    const store = await openIdempotencyStore(path, time);
    const sizes: number[] = [];
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 1000 }, (_, n) => store.put(`k${round}-${n}`, kept(time.at, n))));
      sizes.push(statSync(path).size);
    }
    const line = (sizes[0] ?? 0) / 1000;
    assert.ok(Math.max(...sizes) < 3100 * line * 1.1, String(sizes));
    await store.close();
    const again = await openIdempotencyStore(path, time);
    assert.deepEqual(again.get('k4-999')?.answer.body, { n: 999 });
    assert.equal(again.get('k3-999'), undefined);
    await again.close();
  });

  test('survives records that are none of ours', async (t) => {
    const path = join(folder(t), 'idempotency.ndjson');
    appendFileSync(path, `null\n5\n{"key":1}\n{"key":"a","kept":{"at":1}}\n${JSON.stringify({ key: 'good', kept: kept(1_000_000) })}\n`);
    const store = await openIdempotencyStore(path, clock());
    assert.equal(store.get('a'), undefined);
    assert.ok(store.get('good'));
    await store.close();
  });
});
