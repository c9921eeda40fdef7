import type { Socket } from 'node:net';
import { Problem } from '../lib/problem.ts';

/** Answers what is not HTTP, and what is too long to be read, in the form of all other errors; the connection is then closed. */
export function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) {
    const reason =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 'The path and the headers together have more than 16 KiB.'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'The request did not arrive in time.'
          : 'This is not an HTTP request.';
    const body = JSON.stringify(new Problem('invalid_request', reason).toBody());
    const head = [
      'HTTP/1.1 400 Bad Request',
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}
