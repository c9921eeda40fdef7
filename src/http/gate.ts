import type { IncomingMessage } from 'node:http';
import bearerAuth from '@fastify/bearer-auth';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../lib/problem.ts';
import type { App } from './deps.ts';
import { authorityOf, hostAllowed, sameOrigin } from './host.ts';

/** Throws the problem that keeps a request out. */
export type Gate = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Host against DNS rebinding, Origin against pages from elsewhere, then the token when there is one. */
export async function makeGate(app: App, options: { token: string | null; allowedHosts: readonly string[] }): Promise<Gate> {
  if (options.token !== null) {
    await app.register(bearerAuth, {
      keys: new Set([options.token]),
      addHook: false,
      specCompliance: 'rfc6749',
      verifyErrorLogLevel: 'debug',
    });
  }
  return async (request, reply) => {
    checkHostCount(request.raw);
    if (request.routeOptions.config?.open) return;
    const { origin } = request.headers;
    // A target in absolute form wins over the header (RFC 9112, section 3.2.2), but neither may be another's.
    const authority = authorityOf(request.originalUrl);
    const host = authority ?? request.headers.host;
    for (const name of authority === null ? [host] : [authority, request.headers.host]) {
      if (!hostAllowed(name, options.allowedHosts))
        throw new Problem('forbidden_host', `The name ${quoted(name)} is not one of this service.`);
    }
    if (origin !== undefined && !sameOrigin(origin, host)) {
      throw new Problem('forbidden_origin', `A page of ${quoted(origin)} may not call this service.`);
    }
    if (options.token !== null) await authorize(app, request, reply);
  };
}

/** One in HTTP/1.1, and never two (RFC 9112, section 3.2): of two, Node shows the first only, and another on the way may go by the second. */
function checkHostCount({ headers, rawHeaders, httpVersion }: IncomingMessage): void {
  const count = rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length;
  if (count > 1) throw badHost('must be given once');
  if (headers.host === undefined && httpVersion === '1.1') throw badHost('is required');
}

function badHost(reason: string): Problem {
  return new Problem('invalid_request', `header host ${reason}.`, { errors: [{ in: 'header', path: 'host', reason }] });
}

function authorize(app: App, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  return new Promise((resolve, reject) => {
    app.verifyBearerAuth?.(request, reply, (error) => {
      if (error === undefined) return resolve();
      const given = request.headers.authorization !== undefined;
      reject(new Problem('unauthorized', given ? 'The bearer token is not the right one.' : 'There is no bearer token.'));
    });
  });
}

function quoted(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, 200));
}
