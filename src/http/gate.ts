import bearerAuth from '@fastify/bearer-auth';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../lib/problem.ts';
import type { App } from './deps.ts';
import { hostAllowed, sameOrigin } from './host.ts';

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
    if (request.routeOptions.config?.open) return;
    const { host, origin } = request.headers;
    if (!hostAllowed(host, options.allowedHosts))
      throw new Problem('forbidden_host', `The name ${quoted(host)} is not one of this service.`);
    if (origin !== undefined && !sameOrigin(origin, host)) {
      throw new Problem('forbidden_origin', `A page of ${quoted(origin)} may not call this service.`);
    }
    if (options.token !== null) await authorize(app, request, reply);
  };
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
