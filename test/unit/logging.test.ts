import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { type Logger, pino } from 'pino';
import type { Control } from '../../src/control/api.ts';
import { buildApp } from '../../src/http/app.ts';
import { Problem } from '../../src/lib/problem.ts';
import { loggerOptions } from '../../src/settings.ts';

interface LoggedError {
  type: string;
  message: string;
  stack: string;
  code?: string;
  cause?: LoggedError;
}
type Line = { msg: string; request_id?: string; err?: LoggedError; error?: LoggedError | string };

/** The service's own logger, and the lines it wrote. */
function logger(): { log: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Line);
      done();
    },
  });
  return { log: pino(loggerOptions({ logLevel: 'info' }), stream), lines };
}

function failure(): Problem {
  const cause = Object.assign(new TypeError('no such thing'), { code: 'ENOTHING' });
  return new Problem('internal', 'The service failed.', { of: 'n1' }, { cause });
}

function assertWhole(logged: LoggedError | string | undefined): void {
  assert.ok(typeof logged === 'object', JSON.stringify(logged));
  assert.deepEqual([logged.type, logged.message, logged.code], ['Problem', 'The service failed.', 'internal']);
  assert.match(logged.stack, /logging\.test\.ts/);
  assert.deepEqual([logged.cause?.type, logged.cause?.message, logged.cause?.code], ['TypeError', 'no such thing', 'ENOTHING']);
  assert.match(logged.cause?.stack ?? '', /logging\.test\.ts/);
}

describe('an error in the log', () => {
  test('has its message, stack, code and cause, as `error` and as `err`', () => {
    const { log, lines } = logger();
    log.error({ error: failure(), operation: 'op_1' }, 'inject failed');
    log.child({ request_id: 'r1' }).error({ err: failure() }, 'request failed');
    assertWhole(lines[0]?.error);
    assertWhole(lines[1]?.err);
  });

  test('has the errors that it is made of', () => {
    const { log, lines } = logger();
    log.warn({ error: new AggregateError([failure()], 'several') }, 'x');
    assertWhole((lines[0]?.error as { aggregateErrors?: LoggedError[] } | undefined)?.aggregateErrors?.[0]);
  });

  test('may be a text', () => {
    const { log, lines } = logger();
    log.warn({ error: 'no answer' }, 'x');
    assert.equal(lines[0]?.error, 'no answer');
  });

  test('is whole from the HTTP surface’s logger too, with the request id of the answer', async (t) => {
    const { log, lines } = logger();
    const control = {
      subject: async () => {
        throw failure();
      },
    } as unknown as Control;
    const app = await buildApp({ control, logger: log, token: null, allowedHosts: [], version: '0' });
    t.after(() => app.close());
    const answer = await app.inject('/v1/subjects/etcd');
    assert.equal(answer.statusCode, 500);
    const line = lines.find((l) => l.msg === 'request failed');
    assertWhole(line?.err);
    assert.equal(line?.request_id, answer.json().request_id);
    app.log.error({ error: failure() }, 'apart from a request');
    assertWhole(lines.find((l) => l.msg === 'apart from a request')?.error);
  });
});
