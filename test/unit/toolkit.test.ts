import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Engine } from '../../src/engine/port.ts';
import type { Node } from '../../src/kind/adapter.ts';
import { Reach } from '../../src/kind/toolkit.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { pause } from '../../src/lib/until.ts';

const listener = `require('node:net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, function () { console.log(this.address().port); });`;
const node: Node = { name: 'a', type: 'x', container: 'a', containerId: '1', running: true, startedAt: 0, address: '127.0.0.1' };

describe('a node that takes no connection, and refuses none', () => {
  const child = spawn(process.execPath, ['-e', listener], { stdio: ['ignore', 'pipe', 'inherit'] });
  const waiting: Socket[] = [];
  const reach = new Reach({} as Engine, systemClock);
  const toolkit = reach.toolkit('s', [node], {});
  let port = 0;

  // A process that does not run and whose queue is full: the kernel drops what else wants to connect, as a cut wire does.
  before(async () => {
    const [chunk] = await once(child.stdout, 'data');
    port = Number(chunk);
    child.kill('SIGSTOP');
    for (let full = false; !full; ) {
      assert.ok(waiting.length < 20, 'the queue never fills');
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      waiting.push(socket);
      full = await Promise.race([once(socket, 'connect').then(() => false), pause(300).then(() => true)]);
    }
  });
  after(async () => {
    child.kill('SIGKILL');
    for (const socket of waiting) socket.destroy();
    await reach.close();
  });

  const answers = { http: () => toolkit.http(node, port, '/', { timeoutMs: 300 }, new AbortController().signal) };
  const tcp = () => toolkit.tcp(node, port, 'PING', () => true, { timeoutMs: 300 }, new AbortController().signal);
  for (const [how, ask] of Object.entries({ ...answers, tcp })) {
    test(`is unreached within the time of the request: ${how}`, { timeout: 2500 }, async () => {
      assert.deepEqual(await Promise.all([ask(), ask(), ask()]), Array(3).fill({ reached: false, why: 'timeout after 300 ms' }));
    });
  }

  test('is let go of at once when nobody wants the answer any more', { timeout: 2500 }, async () => {
    const controller = new AbortController();
    const asked = toolkit.http(node, port, '/', { timeoutMs: 60_000 }, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(asked, /^Error: enough$/);
  });

  test('is unreached, too, when there would be more time', { timeout: 10_000 }, async () => {
    const answer = await toolkit.http(node, port, '/', { timeoutMs: 60_000 }, new AbortController().signal);
    assert.deepEqual(answer, { reached: false, why: 'no connection in time' });
  });
});

describe('an answer over TCP', () => {
  test('is text whatever the pieces it comes in', async (t) => {
    const bytes = Buffer.from('$4\r\nclé\r\n:7\r\n');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.setNoDelay(true);
      socket.write(bytes.subarray(0, 7));
      setTimeout(() => socket.end(bytes.subarray(7)), 30);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const reach = new Reach({} as Engine, systemClock);
    t.after(async () => {
      server.close();
      await reach.close();
    });
    const { port } = server.address() as AddressInfo;
    const toolkit = reach.toolkit('s', [node], {});
    const answer = await toolkit.tcp(node, port, 'GET', () => false, {}, new AbortController().signal);
    assert.deepEqual(answer, { reached: true, text: bytes.toString('utf8') });
  });
});
