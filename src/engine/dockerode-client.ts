import { IncomingMessage } from 'node:http';
import Docker from 'dockerode';
import { type Connection, urlHost } from './connection.ts';

/** One HTTP request to the engine. `query`, `json` and `tar` are read, never edited. */
export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Encoded, without a query. */
  path: string;
  query?: Record<string, string>;
  json?: object;
  tar?: Buffer;
  signal: AbortSignal;
}

export interface TransportReply {
  status: number;
  body: AsyncIterable<Buffer>;
}

/** Sends one request and answers once the headers are here, whatever the status; rejects with the socket's error. */
export type Transport = (request: TransportRequest) => Promise<TransportReply>;

const anyStatus: Record<number, true> = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [100 + i, true] as const));

/**
 * The engine's HTTP through dockerode's modem. Every answer is taken as a stream: read as JSON by the modem itself, a body
 * that the engine never finishes (it died) leaves the call hanging for good, signal or not. No agent is given (each request
 * would be spent on inspecting it) and no time-out (they cut `stop` and idle streams); a time-out that the modem would take
 * from the environment is switched off.
 */
export function createTransport(connection: Connection): Transport {
  const modem = new Docker({ ...addressOf(connection), protocol: 'http', timeout: undefined }).modem;

  return (request) =>
    new Promise((resolve, reject) => {
      modem.dial(
        {
          method: request.method,
          path: `${request.path}?`,
          options: { _query: request.query ?? {}, _body: request.json ?? {} },
          ...(request.tar ? { file: request.tar } : {}),
          abortSignal: request.signal,
          isStream: true,
          statusCodes: anyStatus,
        },
        (error, response) => {
          if (!(response instanceof IncomingMessage)) {
            reject(error ?? new Error('no response'));
            return;
          }
          // The reader sees the error too, but may attach only after it was emitted.
          response.on('error', () => {});
          resolve({ status: response.statusCode ?? 0, body: response });
        },
      );
    });
}

/** Both forms, as the modem fills what is left out from the environment. */
function addressOf(connection: Connection): Docker.DockerOptions {
  if ('socketPath' in connection) return { socketPath: connection.socketPath, host: undefined, port: undefined };
  return { socketPath: undefined, host: `http://${urlHost(connection.hostname)}`, port: connection.port };
}
