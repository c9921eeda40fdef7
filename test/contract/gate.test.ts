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

  /** Sends the lines of a head, and answers the status and the body of what comes back. */
  async function raw(port: number, ...lines: string[]): Promise<[number, { code?: string; errors?: unknown; instance?: string }]> {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    const status = Number(head.split(' ')[1]);
    if (status >= 400) assert.match(head, /^content-type: application\/problem\+json$/im);
    return [status, JSON.parse(body)];
  }
  const badHost = (reason: string) => [{ in: 'header', path: 'host', reason }];

  test('a request without Host is refused', async (t) => {
    const called = control();
    const { port } = await listening(t, called);
    assert.equal((await raw(port, 'GET /v1/kinds HTTP/1.0'))[1].code, 'forbidden_host');
    for (const path of ['/v1/kinds', '/nothing/here', '/%zz', '/healthz']) {
      const [status, body] = await raw(port, `GET ${path} HTTP/1.1`);
      assert.deepEqual([status, body.code, body.errors, body.instance], [400, 'invalid_request', badHost('is required'), path]);
    }
    const [status, body] = await raw(port, 'GET /v1/kinds HTTP/1.1', 'Host:');
    assert.deepEqual([status, body.code], [403, 'forbidden_host']);
    assert.deepEqual(called.calls, []);
  });

  test('a request with two Hosts is refused, whichever comes first', async (t) => {
    const called = control();
    const { port } = await listening(t, called);
    for (const hosts of [
      ['Host: localhost', 'Host: evil.example'],
      ['Host: evil.example', 'host: localhost'],
      ['HOST: localhost', 'Accept: */*', 'Host: localhost'],
    ]) {
      for (const line of ['GET /v1/kinds HTTP/1.1', 'GET /v1/kinds HTTP/1.0', 'GET http://localhost/v1/kinds HTTP/1.1']) {
        const [status, body] = await raw(port, line, ...hosts);
        assert.deepEqual([status, body.code, body.errors], [400, 'invalid_request', badHost('must be given once')], line);
      }
    }
    assert.deepEqual(called.calls, []);
  });

  test('a target in absolute form is taken when its name is ours, as the path that is in it', async (t) => {
    const called = control();
    const { port } = await listening(t, called, { allowedHosts: ['runner.example'] });
    const ask = (target: string, ...more: string[]) => raw(port, `GET ${target} HTTP/1.1`, ...more);
    for (const target of [
      'http://evil.example/v1/kinds',
      'HTTP://evil.example',
      'https://localhost@evil.example/v1/kinds',
      'http:///v1/kinds',
    ]) {
      const [status, body] = await ask(target, 'Host: localhost');
      assert.deepEqual([status, body.code], [403, 'forbidden_host'], target);
    }
    assert.equal((await ask('http://localhost/v1/kinds', 'Host: evil.example'))[1].code, 'forbidden_host');
    assert.equal((await ask('http://localhost/v1/kinds'))[0], 400);
    assert.deepEqual(called.calls, []);
    for (const target of [`http://localhost:${port}/v1/kinds`, 'HTTP://Runner.Example/v1/kinds?limit=1']) {
      assert.deepEqual(await ask(target, 'Host: localhost'), [200, { kinds: [], next_cursor: null }], target);
    }
    const [status, body] = await ask('http://localhost/v1/events/1?x=http://localhost/', 'Host: localhost');
    assert.deepEqual([status, body.instance], [404, '/v1/events/1']);
    const foreign = await ask('http://localhost/v1/kinds', 'Host: runner.example', 'Origin: http://runner.example');
    assert.equal(foreign[1].code, 'forbidden_origin');
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
