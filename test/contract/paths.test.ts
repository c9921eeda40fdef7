import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { appFor, listening, notFound, scripted } from './scripted.ts';
import { willing } from './willing.ts';

describe('wrong paths and methods', () => {
  test('an unknown path is 404, with any body', async (t) => {
    const app = await appFor(t, willing());
    for (const url of [
      '/v2/subjects',
      '/v1',
      '/v1/subjects/',
      '/v1/subjects//reset',
      '/v1/trials',
      '/V1/subjects',
      '/v1/subjects/etcd/captures/cap_1/diff',
      '/docs/static/nothing.css',
    ]) {
      for (const request of [
        { method: 'GET' as const },
        { method: 'POST' as const, payload: '{', headers: { 'content-type': 'application/json' } },
      ]) {
        const reply = await app.inject({ url, ...request });
        assert.equal(reply.statusCode, url.startsWith('/docs') && request.method === 'POST' ? 405 : 404, `${request.method} ${url}`);
        assert.equal(reply.headers['content-type'], 'application/problem+json');
      }
    }
  });

  test('a known path with another method is 405 and names those it takes', async (t) => {
    const control = willing();
    const app = await appFor(t, control);
    const cases: ['PUT' | 'POST' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'GET' | 'HEAD', string, string][] = [
      ['PUT', '/v1/subjects', 'GET, HEAD, POST'],
      ['GET', '/v1/subjects/etcd/reset', 'POST'],
      ['POST', '/v1/subjects/etcd', 'DELETE, GET, HEAD'],
      ['PUT', '/v1/subjects/etcd/faults/flt_1?x=1', 'DELETE, GET, HEAD, PATCH'],
      ['POST', '/v1/events', 'GET'],
      ['HEAD', '/v1/events', 'GET'],
      ['OPTIONS', '/v1/kinds', 'GET, HEAD'],
      ['DELETE', '/healthz', 'GET, HEAD'],
      ['POST', '/', 'GET, HEAD'],
    ];
    for (const [method, url, allow] of cases) {
      const reply = await app.inject({ method, url, ...(method === 'POST' ? { payload: '{' } : {}) });
      assert.equal(reply.statusCode, 405, `${method} ${url}`);
      assert.equal(reply.headers.allow, allow);
      if (method !== 'HEAD') assert.equal(reply.json().code, 'method_not_allowed');
    }
    assert.deepEqual(control.calls, []);
  });

  test('a name, however odd, is 404', async (t) => {
    const control = scripted({
      subject: notFound,
      kind: notFound,
      operation: notFound,
      reset: notFound,
      fault: notFound,
      cancelOperation: notFound,
    });
    const { port } = await listening(t, control);
    const odd = [
      '..',
      '../../etc/passwd',
      '%2e%2e',
      '..%2f..%2fetc%2fpasswd',
      ';rm%20-rf',
      ';rm',
      '$(id)',
      '`id`',
      '|id',
      'a%00b',
      '%',
      '%zz',
      '%c0%ae',
      '%E0%A4%A',
      "'or'1'='1",
      '%0d%0aX-Evil:%201',
      '__proto__',
      'constructor',
      '*',
      'x'.repeat(10_000),
      '%41'.repeat(3000),
      '%c3%a9',
    ];
    for (const name of odd) {
      for (const [method, path] of [
        ['GET', `/v1/subjects/${name}`],
        ['POST', `/v1/subjects/${name}/reset`],
        ['GET', `/v1/subjects/etcd/faults/${name}`],
        ['GET', `/v1/kinds/${name}`],
        ['POST', `/v1/operations/${name}/cancel`],
      ] as const) {
        const socket = connect(port, '127.0.0.1');
        socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, 'latin1');
        const answer = await text(socket);
        assert.match(answer, /^HTTP\/1\.1 404 /, `${method} ${path.slice(0, 80)}: ${answer.slice(0, 200)}`);
        assert.match(answer, /\r\ncontent-type: application\/problem\+json\r\n/i);
        assert.doesNotMatch(answer, /^X-Evil/im);
        assert.ok(answer.length < 4000, 'a long name is not echoed in full');
      }
    }
  });
});
