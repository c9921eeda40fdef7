import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Client, derive } from './client.ts';
import type { Connection } from './connection.ts';
import { demux } from './demux.ts';
import { type CallSite, fromFailure, fromReply } from './errors.ts';
import { containerPath } from './paths.ts';
import type { EngineSession } from './port.ts';

/**
 * Engine.openSession. The connection is upgraded (Engine API, "Exec start", "Connection: Upgrade"), so that both directions stay open; the engine closes
 * the command's input when the connection ends, however it ends.
 */
export async function openSession(
  connection: Connection,
  client: Client,
  id: string,
  argv: string[],
  signal: AbortSignal,
): Promise<EngineSession> {
  const at = { op: 'openSession', target: id };
  const json = { Cmd: argv, AttachStdin: true, AttachStdout: true, AttachStderr: true };
  const created = await client.json<{ Id: string }>({ ...at, method: 'POST', path: `${containerPath(at)}/exec`, json, signal });
  signal.throwIfAborted();
  const { socket, head } = await upgrade(connection, at, `/exec/${created.Id}/start`, signal);
  return {
    output: stdout(socket, head),
    write: (text) => {
      if (!socket.destroyed) socket.write(text);
    },
    close: () => {
      socket.destroy();
    },
  };
}

async function* stdout(socket: Duplex, head: Buffer): AsyncGenerator<Buffer> {
  for await (const piece of demux(prefixed(head, socket))) if (piece.stream === 'stdout') yield piece.data;
}

async function* prefixed(head: Buffer, socket: Duplex): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for await (const chunk of socket) yield chunk as Buffer;
}

function upgrade(connection: Connection, at: CallSite, path: string, signal: AbortSignal): Promise<{ socket: Duplex; head: Buffer }> {
  const body = JSON.stringify({ Detach: false, Tty: false });
  const address = 'socketPath' in connection ? { socketPath: connection.socketPath } : { host: connection.hostname, port: connection.port };
  // A link of its own: the session must outlive the deadline of its opening.
  const link = derive(signal);
  return new Promise<{ socket: Duplex; head: Buffer }>((resolve, reject) => {
    const call = request({
      ...address,
      method: 'POST',
      path,
      agent: false,
      signal: link.signal,
      headers: {
        Host: 'localhost',
        Connection: 'Upgrade',
        Upgrade: 'tcp',
        'Content-Type': 'application/json',
        'Content-Length': body.length,
      },
    });
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : fromFailure(at, error));
    call.on('upgrade', (_response, socket, head) => {
      // What goes wrong later ends the reading; without a listener it would end the process.
      socket.on('error', () => {});
      resolve({ socket, head });
    });
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => reject(fromReply(at, response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'))));
      response.on('error', fail);
    });
    call.on('error', fail);
    call.end(body);
  }).finally(() => link.release());
}
