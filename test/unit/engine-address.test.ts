import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { parseDockerHost, urlHost } from '../../src/engine/connection.ts';
import { createEngine } from '../../src/engine/dockerode.ts';

describe('an engine at an IPv6 address', () => {
  test('has brackets in a URL only', () => {
    assert.deepEqual(parseDockerHost('tcp://[2001:db8::1]:2376'), { hostname: '2001:db8::1', port: 2376 });
    assert.deepEqual(['2001:db8::1', 'lab.example', '192.0.2.1'].map(urlHost), ['[2001:db8::1]', 'lab.example', '192.0.2.1']);
  });

  test('is reached in each of the ways there are', async (t) => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url?.split('?')[0]}`);
      const answer = request.url?.startsWith('/info') ? { SystemTime: new Date(0).toISOString() } : { Id: 'x' };
      response.end(JSON.stringify(answer));
    });
    server.on('upgrade', (request, socket) => {
      asked.push(`upgrade ${request.url}`);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    });
    server.listen(0, '::1');
    await once(server, 'listening');
    const engine = createEngine({ dockerHost: `tcp://[::1]:${(server.address() as AddressInfo).port}` });
    t.after(async () => {
      await engine.close();
      server.closeAllConnections();
      server.close();
    });
    const signal = AbortSignal.timeout(5000);
    await engine.ping(signal);
    (await engine.openSession('a', ['true'], signal)).close();
    await assert.rejects(async () => {
      for await (const _event of engine.events({}, signal));
    }, /ended the event stream/);
    assert.deepEqual(asked, ['GET /_ping', 'POST /containers/a/exec', 'upgrade /exec/x/start', 'GET /info', 'GET /events']);
  });
});
