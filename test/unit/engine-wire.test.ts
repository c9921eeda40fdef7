import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { createEngine } from '../../src/engine/dockerode.ts';
import type { EngineEvent } from '../../src/engine/port.ts';

const signal = AbortSignal.timeout(60_000);

/** The engine's side of the wire, for what a healthy engine cannot be made to say. */
async function withEngine(
  answer: (path: string, response: ServerResponse, request: IncomingMessage) => void,
  act: (engine: ReturnType<typeof createEngine>) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => answer((request.url ?? '').split('?')[0] ?? '', response, request));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const engine = createEngine({ dockerHost: `tcp://127.0.0.1:${address.port}` });
  try {
    await act(engine);
  } finally {
    await engine.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const json = (response: ServerResponse, value: unknown, status = 200) => void response.writeHead(status).end(JSON.stringify(value));

/** One answer after the other, the last one again and again. */
function inTurn<T>(first: T, ...rest: T[]): () => T {
  let now = first;
  return () => {
    const value = now;
    now = rest.shift() ?? now;
    return value;
  };
}

describe('the wire of a command', () => {
  const engineThatSays = (seen: () => unknown) => (path: string, response: ServerResponse) => {
    if (path === '/containers/c/exec') return json(response, { Id: 'e' }, 201);
    if (path === '/exec/e/start') return void response.end(Buffer.from('01000000000000036f750a', 'hex'));
    return json(response, seen());
  };

  it('takes the exit code only from a command that runs no more', async () => {
    const seen = inTurn(
      { Running: true, ExitCode: null, Pid: 0 },
      { Running: true, ExitCode: 0, Pid: 5 },
      { Running: false, ExitCode: null, Pid: 5 },
      { Running: false, ExitCode: 7, Pid: 5 },
    );
    await withEngine(engineThatSays(seen), async (engine) => {
      assert.deepEqual(await engine.exec('c', ['x'], signal), { exitCode: 7, stdout: 'ou\n', stderr: '' });
    });
  });

  it('is given up with the signal’s reason while the exit is not noted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let asked = 0;
    const seen = () => {
      if (++asked === 3) controller.abort(reason);
      return { Running: true, ExitCode: null, Pid: 5 };
    };
    await withEngine(engineThatSays(seen), async (engine) => {
      await assert.rejects(engine.exec('c', ['x'], controller.signal), (error) => error === reason);
    });
  });
});

describe('the wire of events', () => {
  const line = (action: string) =>
    `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: 'c', Attributes: { name: 'ä' } }, timeNano: 1e18 })}\n`;

  it('that the engine ends in good order is unreachable, after what it said', async () => {
    const bytes = Buffer.from(line('start') + line('die'));
    const cut = bytes.indexOf(Buffer.from('ä')) + 1;
    await withEngine(
      (path, response) => {
        if (path === '/info') return json(response, { SystemTime: '2026-11-22T02:36:43.316541381Z' });
        response.write(bytes.subarray(0, cut), () => response.end(bytes.subarray(cut)));
      },
      async (engine) => {
        const seen: EngineEvent[] = [];
        const watch = async () => {
          for await (const event of engine.events({ labels: ['name=ä'] }, signal)) seen.push(event);
        };
        await assert.rejects(watch(), { reason: 'unreachable', op: 'events' });
        assert.deepEqual(
          seen.map((event) => event.action),
          ['start', 'die'],
        );
      },
    );
  });

  it('are asked for from the engine’s own now, both types, without its label filter', async () => {
    let asked = new URLSearchParams();
    await withEngine(
      (path, response, request) => {
        if (path === '/info') return json(response, { SystemTime: '2026-11-22T02:36:43.316541381Z' });
        asked = new URL(request.url ?? '', 'http://x').searchParams;
        return json(response, { message: 'no' }, 500);
      },
      async (engine) => {
        const events = engine.events({ labels: ['a=b'] }, signal)[Symbol.asyncIterator]();
        await assert.rejects(events.next(), { reason: 'refused', message: 'no', status: 500 });
        assert.match(asked.get('since') ?? '', /^1795315003\.31[56]\d{6}$/);
        assert.deepEqual(JSON.parse(asked.get('filters') ?? ''), { type: { container: true, network: true } });
      },
    );
  });
});

describe('the wire of a removal', () => {
  it('that another client began is waited out, until it is gone', async () => {
    const inProgress = { status: 409, message: 'removal of container c is already in progress' };
    const replies = inTurn(inProgress, inProgress, { status: 404, message: 'No such container: c' });
    let asked = 0;
    await withEngine(
      (_, response) => {
        asked++;
        const { status, message } = replies();
        json(response, { message }, status);
      },
      async (engine) => engine.removeContainer('c', signal),
    );
    assert.equal(asked, 3);
  });

  it('that never ends is given up with the signal', async () => {
    await withEngine(
      (_, response) => json(response, { message: 'removal of container c is already in progress' }, 409),
      async (engine) => assert.rejects(engine.removeContainer('c', AbortSignal.timeout(200)), { name: 'TimeoutError' }),
    );
  });
});

describe('an answer that is none', () => {
  it('is refused', async () => {
    await withEngine(
      (_, response) => void response.end('<html>'),
      async (engine) => assert.rejects(engine.listNetworks(signal), { reason: 'refused' }),
    );
  });
});
