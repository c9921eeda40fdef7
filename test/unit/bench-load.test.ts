import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { after, describe, it } from 'node:test';
import { openLoop } from '../../bench/load.ts';
import { ask } from '../../bench/measure/health.ts';
import { deadline } from '../../src/lib/until.ts';

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}/x?y=1`;
}

describe('the load of the bench', () => {
  it('sends as many as the rate asks for, and counts what is not 200', async () => {
    using limited = deadline('load', 20_000);
    const urls = new Set<string | undefined>();
    let seen = 0;
    const url = await serve((request, response) => {
      urls.add(request.url);
      seen++;
      response.writeHead(seen % 10 === 0 ? 503 : 200, { 'content-length': 3 }).end('é!');
    });
    const { latencies, lateness, failed } = await openLoop(url, { rate: 200, seconds: 0.5, connections: 4 }, limited);
    assert.deepEqual([seen, latencies.length, lateness.length, failed], [100, 100, 100, 10]);
    assert.deepEqual([...urls], ['/x?y=1']);
    assert.ok(lateness.every((ms) => ms >= 0) && latencies.every((ms) => ms > 0));
  });

  it('counts from the moment a request was due, through a stall of the server', async () => {
    using limited = deadline('load', 20_000);
    const stallMs = 300;
    const begun = performance.now();
    const url = await serve((_request, response) => {
      const left = Math.max(0, begun + stallMs - performance.now());
      setTimeout(() => response.end('x'), left);
    });
    const { latencies, failed } = await openLoop(url, { rate: 100, seconds: 0.4, connections: 2 }, limited);
    assert.equal(failed, 0);
    assert.ok(latencies.filter((ms) => ms > 50).length >= 15, latencies.map((ms) => ms.toFixed(0)).join(' '));
  });

  it('a connection that breaks is a failure, and is made again', async () => {
    using limited = deadline('load', 20_000);
    let seen = 0;
    const url = await serve((_request, response) => {
      seen++;
      if (seen % 5 === 0) response.destroy();
      else response.end('x');
    });
    const { latencies, failed } = await openLoop(url, { rate: 100, seconds: 0.5, connections: 2 }, limited);
    assert.deepEqual([latencies.length, failed], [50, 10]);
  });

  it('runs in a process of its own, which ends when it is told to', async () => {
    using limited = deadline('load', 20_000);
    const url = await serve((request, response) => {
      if (request.headers.host === undefined) response.statusCode = 500;
      response.end('x');
    });
    const asking = { url, rate: 100, seconds: 1, warmUpSeconds: 0.1, connections: 2 };
    const { latencies, lateness, failed, bursts } = await ask(asking, limited);
    assert.deepEqual([latencies.length, lateness.length, failed, bursts.failed], [100, 100, 0, 0]);
    assert.ok(bursts.requests > 0);
    const enough = new AbortController();
    const asked = ask({ ...asking, seconds: 60 }, enough.signal);
    setTimeout(() => enough.abort(new Error('enough')), 500);
    await assert.rejects(asked, /enough/);
  });
});
