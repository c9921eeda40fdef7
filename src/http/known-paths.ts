import type { FastifyRequest } from 'fastify';
import { Problem } from '../lib/problem.ts';

/** The paths that have routes, to tell a wrong method from a wrong path. */
export class KnownPaths {
  #paths = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  add(url: string, methods: string | string[]): void {
    const known = this.#paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const method of [methods].flat()) known.methods.add(method);
    this.#paths.set(url, known);
  }

  /** Why a request has no route. */
  problem(request: FastifyRequest): Problem {
    const path = request.url.split('?')[0] ?? '';
    const matching = [...this.#paths.values()].filter(({ pattern }) => pattern.test(path));
    const allowed = [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
    // The right method on a path that looks right: a name in it is longer than any can be.
    if (allowed.length === 0 || allowed.includes(request.method)) return new Problem('not_found', 'There is nothing at this path.');
    return new Problem('method_not_allowed', `This path takes ${allowed.join(', ')}, not ${request.method}.`, { allowed });
  }
}

/** A route's path as a regular expression: `:name` is one segment, `*` is the rest. */
function patternOf(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment.startsWith(':')) return '[^/]+';
    return segment === '*' ? '.*' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${segments.join('/')}$`, 's');
}
