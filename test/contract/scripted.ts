import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { Control, Running } from '../../src/control/api.ts';
import type { Operation, OperationKind } from '../../src/control/operation.ts';
import { EventLog } from '../../src/events/log.ts';
import { type AppOptions, buildApp } from '../../src/http/app.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Problem } from '../../src/lib/problem.ts';

/**
 * A control of which only what a test scripts can be called. For what the real one cannot be brought to do on demand: to hang, to be cancelled, to fail
 * in each way there is.
 */
export function scripted(parts: Partial<Control> = {}): Control & { calls: string[] } {
  const calls: string[] = [];
  return new Proxy({ calls } as Control & { calls: string[] }, {
    get(target, name: keyof Control | 'calls' | 'then') {
      if (name === 'calls') return target.calls;
      const part = name === 'then' ? undefined : parts[name];
      if (typeof part !== 'function') return part;
      return (...args: unknown[]) => {
        calls.push(name);
        return (part as (...given: unknown[]) => unknown)(...args);
      };
    },
  });
}

/** An operation that ends when the test says so. */
export function pending(kind: OperationKind = 'reset', id = 'op_1'): Running & { end(change: Partial<Operation>): void } {
  const operation: Operation = {
    id,
    kind,
    subject: 'etcd',
    state: 'running',
    progress: { phase: 'create', phases: [{ name: 'burn', duration_ms: 3 }] },
    started_at: '2026-01-01T00:00:00.000Z',
    ended_at: null,
    result: null,
    error: null,
  };
  let resolve = (_ended: Operation) => {};
  const ended = new Promise<Operation>((done) => {
    resolve = done;
  });
  const end = (change: Partial<Operation>) => resolve(Object.assign(operation, { ended_at: '2026-01-01T00:00:01.000Z' }, change));
  return { operation, ended, end };
}

/** The app over a control, closed with the test. */
export async function appFor(t: TestContext, control: Control, options: Partial<AppOptions> = {}): Promise<FastifyInstance> {
  const app = await buildApp({ control, logger: false, token: null, allowedHosts: [], version: '0.0.0-test', ...options });
  t.after(() => app.close());
  return app;
}

/** The same, listening on a port of its own. */
export async function listening(
  t: TestContext,
  control: Control,
  options: Partial<AppOptions> = {},
): Promise<{ app: FastifyInstance; port: number; base: string }> {
  const app = await appFor(t, control, options);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { app, port, base: `http://127.0.0.1:${port}` };
}

/** A folder that goes with the test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'subjectd-contract-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The real event log, in a folder of the test's own. */
export function eventLog(t: TestContext): EventLog {
  const log = EventLog.open(join(folder(t), 'events.ndjson'), systemClock);
  t.after(() => log.close());
  return log;
}

/** The event source of a control, over a real log. */
export function sourceOf(log: EventLog): Control['events'] {
  return {
    after: (after, limit, subject) => log.after(after, limit, (event) => subject === undefined || event.subject === subject),
    get first() {
      return log.first;
    },
    get last() {
      return log.last;
    },
    subscribe: (listener) => log.subscribe(listener),
  };
}

/** A promise and the function that keeps it. */
export function promised<T = void>(): { promise: Promise<T>; keep: (value: T) => void } {
  let keep = (_value: T) => {};
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { promise, keep };
}

export function notFound(): never {
  throw new Problem('subject_not_found', 'There is no such subject.');
}
