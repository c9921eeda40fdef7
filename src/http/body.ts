import type { FastifyRequest } from 'fastify';
import type { InputError } from '../lib/input_error.ts';
import { Problem } from '../lib/problem.ts';
import type { App } from './deps.ts';

/** 64 KiB. */
export const bodyLimit = 65_536;
/** Levels of objects and arrays in a body; no parameter of any chaos type needs more than three. */
const deepest = 32;

/** JSON is the only body there is; none at all stands for `{}` where a route takes one. */
export function readBodies(app: App): void {
  app.removeAllContentTypeParsers();
  // Members that reach for a prototype are refused below, with their path; until then they are members like any other.
  const parse = app.getDefaultJsonParser('ignore', 'ignore');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text.length === 0) return done(null, undefined);
    return parse(request, text, (error, body) => (error === null ? done(null, body) : done(notJson(error))));
  });
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.schema?.body !== undefined) request.body ??= request.body === null ? null : {};
    else refuseBody(request);
  });
  // Where a schema names all fields they are found by it already.
  app.addHook('preHandler', async (request) => refuseOdd(request.body));
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

/** An object with free fields is copied, compared and looked into later on, level by level: none of it may become a prototype there, or be too deep for that. */
function refuseOdd(body: unknown): void {
  const errors = oddities(body);
  if (errors.length === 0) return;
  throw new Problem('invalid_request', errors.map(({ path, reason }) => `body ${path} ${reason}.`).join(' '), { errors });
}

/** Where a body has `__proto__`, or `constructor` with a `prototype`, or goes too deep: the first five. No recursion. */
function oddities(body: unknown): InputError[] {
  const found: InputError[] = [];
  const left = [{ value: body, path: '', depth: 0 }];
  for (let next = left.pop(); next !== undefined && found.length < 5; next = left.pop()) {
    const { value: held, path: at, depth } = next;
    if (typeof held !== 'object' || held === null) continue;
    if (depth === deepest) {
      found.push({ in: 'body', path: at, reason: `is nested deeper than ${deepest} levels` });
      continue;
    }
    for (const [name, value] of Object.entries(held) as [string, unknown][]) {
      const path = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      if (name === '__proto__' || (name === 'constructor' && hasPrototype(value)))
        found.push({ in: 'body', path, reason: 'is not a known field' });
      else left.push({ value, path, depth: depth + 1 });
    }
  }
  return found;
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}
