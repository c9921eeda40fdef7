import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { appFor, listening, scripted } from './scripted.ts';

const control = () =>
  scripted({
    kinds: async () => [],
    subjects: async () => [],
    readiness: async () => ({ engine: true, ledger: true }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
  });
const token = 'a-token-of-some-length';
const guarded = ['/', '/docs', '/docs/static/swagger-ui.css', '/docs/json', '/openapi.json', '/metrics', '/v1/kinds', '/nothing/here'];

describe('who gets in', () => {
  test('/healthz and /readyz are open to anybody', async (t) => {
    const app = await appFor(t, control(), { token });
    for (const url of ['/healthz', '/readyz', '/healthz?verbose']) {
      const { statusCode } = await app.inject({ url, headers: { host: 'evil.example', origin: 'http://evil.example' } });
      assert.equal(statusCode, 200, url);
    }
  });

  test('everything else needs the token, when there is one', async (t) => {
    const app = await appFor(t, control(), { token });
    for (const url of guarded) {
      for (const authorization of [undefined, 'Bearer wrong', `Basic ${token}`, 'Bearer', `Bearer ${token}x`, token]) {
        const reply = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
        assert.equal(reply.statusCode, 401, `${url} ${authorization}`);
        assert.equal(reply.json().code, 'unauthorized');
        assert.equal(reply.headers['www-authenticate'], 'Bearer realm="subjectd"');
      }
      const reply = await app.inject({ url, headers: { authorization: `bearer ${token}` } });
      assert.equal(reply.statusCode, url === '/nothing/here' ? 404 : 200, url);
    }
  });

  test('nothing needs a token when there is none', async (t) => {
    const app = await appFor(t, control());
    for (const url of guarded) assert.notEqual((await app.inject(url)).statusCode, 401);
  });

  test('a Host that is not ours is refused, on every method and path', async (t) => {
    const called = control();
    const app = await appFor(t, called, { allowedHosts: ['runner.example'] });
    for (const method of ['GET', 'POST', 'DELETE', 'PATCH'] as const) {
      const reply = await app.inject({ method, url: '/v1/subjects/etcd/faults', headers: { host: 'evil.example:8080' } });
      assert.equal(reply.statusCode, 403);
      assert.equal(reply.json().code, 'forbidden_host');
    }
    assert.equal((await app.inject({ url: '/v1/kinds', headers: { host: 'Runner.Example:81' } })).statusCode, 200);
    assert.deepEqual(called.calls, ['kinds']);
  });

  test('a token does not open the door to another Host', async (t) => {
    const app = await appFor(t, control(), { token });
    const reply = await app.inject({ url: '/v1/kinds', headers: { host: 'evil.example', authorization: `Bearer ${token}` } });
    assert.equal(reply.json().code, 'forbidden_host');
  });

  test('a request without Host is refused', async (t) => {
    const { port } = await listening(t, control());
    const socket = connect(port, '127.0.0.1');
    socket.end('GET /v1/kinds HTTP/1.0\r\n\r\n');
    assert.match(await text(socket), /^HTTP\/1\.1 403 .*"forbidden_host"/s);
  });

  test('a page from elsewhere is refused, one of our own is not', async (t) => {
    const app = await appFor(t, control());
    const from = (origin: string) => app.inject({ url: '/v1/kinds', headers: { host: 'localhost:8080', origin } });
    assert.equal((await from('http://localhost:8080')).statusCode, 200);
    for (const origin of ['null', 'http://evil.example', 'http://localhost:3000', 'https://localhost']) {
      const reply = await from(origin);
      assert.equal(reply.statusCode, 403, origin);
      assert.equal(reply.json().code, 'forbidden_origin');
    }
  });

  test('no token ever reaches the log', async (t) => {
    let log = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        log += chunk;
        done();
      },
    });
    const app = await appFor(t, control(), { token, logger: pino({ level: 'trace' }, stream) });
    await app.inject({ url: '/v1/kinds', headers: { authorization: `Bearer ${token}` } });
    await app.inject({ url: '/v1/kinds', headers: { authorization: 'Bearer another-secret' } });
    await app.inject({ url: '/v1/subjects/etcd', headers: { authorization: `Bearer ${token}` } });
    assert.match(log, /"url":"\/v1\/kinds","status":200/);
    assert.match(log, /"status":401/);
    assert.doesNotMatch(log, new RegExp(`${token}|another-secret`));
  });

  test('each answer has a request id: the caller’s when it is sane, else a new one; the log has it too', async (t) => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const app = await appFor(t, control(), { logger: pino(stream) });
    const id = async (given: string) =>
      (await app.inject({ url: '/v1/kinds', headers: { 'x-request-id': given } })).headers['x-request-id'];
    assert.equal(await id('abc-1'), 'abc-1');
    assert.ok(lines.some((line) => line.includes('"request_id":"abc-1"')));
    assert.match(String(await id('a b')), /^req_/);
    assert.match(String(await id('x'.repeat(129))), /^req_/);
  });

  test('a health that is asked for again and again fills no log; one that is refused is in it', async (t) => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const health = { subject: 'etcd', healthy: true, has_issues: false, nodes: [], issues: [], details: {}, last_updated: null };
    const app = await appFor(t, scripted({ health: async () => health }), { logger: pino(stream) });
    assert.deepEqual((await app.inject({ url: '/v1/subjects/etcd/health' })).json(), health);
    assert.deepEqual(lines, []);
    assert.equal((await app.inject({ url: '/v1/subjects/etcd/health?fresh=perhaps' })).statusCode, 400);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /"url":"\/v1\/subjects\/etcd\/health\?fresh=perhaps","status":400/);
  });

  test('what is not HTTP is answered as a problem and the connection closed', async (t) => {
    const { port } = await listening(t, control());
    const socket = connect(port, '127.0.0.1');
    socket.write('nonsense\r\n\r\n');
    const answer = text(socket);
    await once(socket, 'close');
    assert.match(await answer, /^HTTP\/1\.1 400 .*application\/problem\+json.*"invalid_request"/s);
  });
});
