import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import type { Control } from '../../src/control/api.ts';
import type { Event } from '../../src/events/log.ts';
import { streamEvents } from '../../src/http/event-stream.ts';
import { appFor, eventLog, listening, promised, scripted, sourceOf } from './scripted.ts';

interface Sent {
  id?: string;
  event?: string;
  data?: Event;
  comment?: string;
}

/** Opens a stream and reads it message by message. */
async function open(t: TestContext, url: string, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const response = await fetch(url, { headers, signal: stop.signal });
  assert.equal(response.status, 200);
  assert.match(String(response.headers.get('content-type')), /^text\/event-stream/);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async (): Promise<Sent | null> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end !== -1) {
        const message = parse(text.slice(0, end));
        text = text.slice(end + 2);
        if (message.data !== undefined) return message;
        continue;
      }
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) return null;
      text += chunk.value;
    }
  };
  return { next, stop: () => stop.abort() };
}

function parse(text: string): Sent {
  const message: Sent = {};
  for (const line of text.split('\n')) {
    const [, field = '', value = ''] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
    if (field === 'id' || field === 'event') message[field] = value;
    if (field === 'data') message.data = JSON.parse(value) as Event;
    if (field === '') message.comment = value;
  }
  return message;
}

const control = (events: Control['events']) => scripted({ events });

describe('the event stream', () => {
  test('gives the kept events behind Last-Event-ID, then those that come', async (t) => {
    const log = eventLog(t);
    for (const n of [1, 2, 3]) log.emit('fault.injected', 'etcd', { n });
    const { base } = await listening(t, control(sourceOf(log)));
    const { next } = await open(t, `${base}/v1/events?after=3`, { 'last-event-id': '1' });
    assert.deepEqual((await next())?.data, log.after(1, 1)[0]);
    const third = await next();
    assert.deepEqual([third?.id, third?.event], ['3', 'fault.injected']);
    const fourth = log.emit('health.changed', null, { text: 'two\nlines' });
    assert.deepEqual((await next())?.data, fourth);
  });

  test('begins behind ?after, and with nothing but the new without either', async (t) => {
    const log = eventLog(t);
    for (const n of [1, 2]) log.emit('fault.injected', 'etcd', { n });
    const { base } = await listening(t, control(sourceOf(log)));
    assert.equal((await (await open(t, `${base}/v1/events?after=0`)).next())?.id, '1');
    const live = await open(t, `${base}/v1/events`);
    log.emit('fault.healed', 'etcd');
    assert.equal((await live.next())?.id, '3');
  });

  test('gives only the events of the asked subject and type', async (t) => {
    const log = eventLog(t);
    const { base } = await listening(t, control(sourceOf(log)));
    const both = await open(t, `${base}/v1/events?after=0&subject=etcd&type=b`);
    log.emit('a', 'etcd');
    log.emit('b', 'tikv');
    for (let n = 0; n < 300; n++) log.emit('a', 'etcd');
    log.emit('b', 'etcd');
    assert.equal((await both.next())?.data?.subject, 'etcd');
    log.emit('b', null);
    const last = log.emit('b', 'etcd');
    assert.equal((await both.next())?.id, String(last.id));
  });

  test('tells a gap first, when what was asked for is gone or never was', async (t) => {
    const log = eventLog(t);
    for (let n = 0; n < 10_005; n++) log.emit('x', null);
    const { base } = await listening(t, control(sourceOf(log)));
    for (const asked of [0, 4, 99_999]) {
      const { next, stop } = await open(t, `${base}/v1/events`, { 'last-event-id': String(asked) });
      const gap = await next();
      assert.equal(gap?.event, 'events.gap');
      assert.deepEqual(gap?.data?.data, { asked, first: 6, last: 10_005 });
      // Whoever comes back with the id of the gap goes on with the first event there is.
      assert.equal(gap?.id, '5');
      assert.equal((await next())?.id, '6');
      stop();
    }
    const { next } = await open(t, `${base}/v1/events`, { 'last-event-id': '5' });
    assert.equal((await next())?.event, 'x');
  });

  test('gives every event once and in order to a client that reads slowly', async (t) => {
    const log = eventLog(t);
    const taken: string[] = [];
    const done = promised();
    const out = new Writable({
      highWaterMark: 64,
      write(chunk, _encoding, next) {
        taken.push(String(chunk));
        if (String(chunk).includes('"id":600,')) done.keep();
        setImmediate(next);
      },
    });
    const stop = new AbortController();
    const streaming = streamEvents(out, sourceOf(log), { after: 0 }, stop.signal);
    for (let n = 0; n < 600; n++) log.emit('x', null);
    await done.promise;
    stop.abort();
    assert.equal(await streaming, 'closed');
    const ids = [...taken.join('').matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    assert.deepEqual(
      ids,
      Array.from({ length: 600 }, (_, n) => n + 1),
    );
  });

  test('drops a client that does not read, and buffers little for it', async (t) => {
    const log = eventLog(t);
    const full = promised();
    const out = new Writable({
      highWaterMark: 8,
      write() {
        full.keep();
      },
    });
    const streaming = streamEvents(out, sourceOf(log), { after: 0, mostPending: 50 }, new AbortController().signal);
    await full.promise;
    for (let n = 0; n < 51; n++) log.emit('x', null, { text: 'x'.repeat(1000) });
    assert.equal(await streaming, 'slow');
    assert.ok(out.writableLength < 1000);
  });

  test('drops a client that takes nothing for two heartbeats', async (t) => {
    const log = eventLog(t);
    log.emit('x', null);
    const out = new Writable({ highWaterMark: 8, write() {} });
    const alive = setInterval(() => {}, 1000);
    t.after(() => clearInterval(alive));
    assert.equal(await streamEvents(out, sourceOf(log), { after: 0, heartbeatMs: 5 }, new AbortController().signal), 'slow');
  });

  test('closes the connection of a client that does not read', async (t) => {
    const log = eventLog(t);
    const { app, port } = await listening(t, control(sourceOf(log)));
    const closed = promised();
    app.server.on('connection', (socket) => socket.on('close', () => closed.keep()));
    const client = connect(port, '127.0.0.1');
    t.after(() => client.destroy());
    client.on('error', () => {});
    const open = new Promise<void>((resolve) => client.once('data', () => resolve()));
    client.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await open;
    client.pause();
    const text = 'x'.repeat(1_000_000);
    // More than the sockets' own buffers hold, then more events than may be pending.
    for (let n = 0; n < 40; n++) {
      log.emit('big', null, { text });
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let n = 0; n < 1100; n++) log.emit('small', null);
    await closed.promise;
  });

  test('sends a heartbeat when nothing happens', async (t) => {
    const log = eventLog(t);
    const beat = promised();
    const stop = new AbortController();
    const out = new Writable({
      write(chunk, _encoding, next) {
        if (String(chunk).startsWith(': still here')) beat.keep();
        next();
      },
    });
    const alive = setInterval(() => {}, 1000);
    t.after(() => clearInterval(alive));
    const streaming = streamEvents(out, sourceOf(log), { after: 0, heartbeatMs: 5 }, stop.signal);
    await beat.promise;
    stop.abort();
    assert.equal(await streaming, 'closed');
  });

  test('listens no longer once its client has gone', async (t) => {
    const log = eventLog(t);
    const gone = promised();
    const source = sourceOf(log);
    const watched: Control['events'] = {
      after: source.after,
      first: 1,
      last: 0,
      subscribe: (listener) => {
        const stop = source.subscribe(listener);
        return () => {
          stop();
          gone.keep();
        };
      },
    };
    const { base } = await listening(t, control(watched));
    (await open(t, `${base}/v1/events`)).stop();
    await gone.promise;
  });

  test('ends when the service closes', async (t) => {
    const log = eventLog(t);
    const { app, base } = await listening(t, control(sourceOf(log)));
    const { next } = await open(t, `${base}/v1/events`);
    const end = next();
    await app.close();
    assert.equal(await end, null);
  });

  test('refuses an id that is none', async (t) => {
    const app = await appFor(t, control(sourceOf(eventLog(t))));
    for (const request of [
      { url: '/v1/events', headers: { 'last-event-id': 'x' } },
      { url: '/v1/events?after=-1' },
      { url: '/v1/events?limit=1001' },
    ]) {
      assert.equal((await app.inject(request)).statusCode, 400);
    }
  });
});

describe('the event list', () => {
  const json = { accept: 'application/json' };

  test('gives the events behind ?after, oldest first, page by page', async (t) => {
    const log = eventLog(t);
    for (let n = 1; n <= 5; n++) log.emit('x', null, { n });
    const app = await appFor(t, control(sourceOf(log)));
    const list = async (query: string) => (await app.inject({ url: `/v1/events?${query}`, headers: json })).json();
    assert.deepEqual(await list('after=1&limit=2'), { events: log.after(1, 2), next_cursor: '3' });
    assert.deepEqual(await list('after=3&limit=2'), { events: log.after(3, 2), next_cursor: null });
    assert.deepEqual(await list('after=5'), { events: [], next_cursor: null });
    assert.equal((await list('')).events.length, 5);
  });

  test('finds what matches behind any number of events that do not', async (t) => {
    const log = eventLog(t);
    log.emit('rare', 'etcd');
    for (let n = 0; n < 1200; n++) log.emit('frequent', 'etcd');
    log.emit('rare', 'tikv');
    const last = log.emit('rare', 'etcd');
    const app = await appFor(t, control(sourceOf(log)));
    const list = async (query: string) => (await app.inject({ url: `/v1/events?${query}`, headers: json })).json();
    const page = await list('type=rare&subject=etcd&limit=1');
    assert.deepEqual([page.events[0].id, page.next_cursor], [1, '1']);
    assert.deepEqual(await list('type=rare&subject=etcd&after=1'), { events: [last], next_cursor: null });
  });
});
