import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { notFound, pending, scripted } from './scripted.ts';
import { strictlyCommitted } from './strict.ts';

export const faults = '/v1/subjects/etcd/faults';

export interface Found {
  in: string;
  path: string;
  reason: string;
  allowed?: unknown;
}

/** A control that takes anything: only the surface stands between a bad request and a change. */
export const willing = () =>
  scripted({
    createSubject: () => {
      throw new Error('reached');
    },
    reset: (name) => (name === 'etcd' ? pending() : notFound()),
    inject: () => pending(),
    healAll: () => pending(),
    heal: () => pending(),
    renewFault: notFound,
    health: notFound,
    faults: notFound,
    operation: notFound,
    subject: notFound,
  });

const inContract = strictlyCommitted();

/** What a refusal says is wrong with the request. */
export async function refused(
  app: FastifyInstance,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  url: string,
  body?: unknown,
): Promise<Found[]> {
  const reply = await app.inject({
    method,
    url,
    ...(body === undefined ? {} : { payload: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  assert.equal(reply.statusCode, 400, `${method} ${url} ${JSON.stringify(body)}: ${reply.body}`);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  const problem = reply.json();
  assert.equal(problem.code, 'invalid_request');
  inContract('Problem', problem);
  return problem.errors;
}
