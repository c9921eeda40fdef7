import type { FastifyRequest } from 'fastify';
import { Problem } from '../lib/problem.ts';
import type { App } from './deps.ts';

/** 64 KiB. */
export const bodyLimit = 65_536;

/** JSON is the only body there is; none at all stands for `{}` where a route takes one. */
export function readBodies(app: App): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text.length === 0) return done(null, undefined);
    return parse(request, text, (error, body) => (error === null ? done(null, body) : done(notJson(error))));
  });
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.schema?.body !== undefined) request.body ??= request.body === null ? null : {};
    else refuseBody(request);
  });
}

function notJson(error: Error): Problem {
  const reason = `not JSON: ${error.message}`;
  return new Problem('invalid_request', `The body is ${reason}`, { errors: [{ in: 'body', path: '', reason }] });
}

/** A body that would be ignored may hold what the caller meant to narrow the call with. */
function refuseBody(request: FastifyRequest): void {
  const body: unknown = request.body;
  if (body === undefined || (typeof body === 'object' && body !== null && Object.keys(body).length === 0)) return;
  throw new Problem('invalid_request', `${request.method} of this path takes no body.`, {
    errors: [{ in: 'body', path: '', reason: 'must be empty', allowed: [] }],
  });
}
