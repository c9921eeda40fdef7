import type { IncomingMessage } from 'node:http';
import { newRequestId } from '../lib/id.ts';
import type { App } from './deps.ts';

const quiet = new Set(['/healthz', '/readyz', '/metrics', '/v1/subjects/:subject/health']);

/** The caller's `X-Request-Id` when it is sane, else a new one. */
export function requestId(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : newRequestId();
}

/**
 * One line a request, when it was answered, with its operation, whose own lines say why it failed; at `debug` for what is asked again and again, as long as it is
 * answered, at `error` for a failure of the service itself. Headers, where tokens are, are never logged.
 */
export function logRequests(app: App): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    done();
  });
  app.addHook('onResponse', async (request, reply) => {
    const status = reply.statusCode;
    const level = status === 500 ? 'error' : quiet.has(request.routeOptions.url ?? '') && status < 400 ? 'debug' : 'info';
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    const operation = reply.getHeader('x-operation-id');
    request.log[level]({ method: request.method, url: request.url.slice(0, 500), status, ms, operation }, 'request');
  });
}
