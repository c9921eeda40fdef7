import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { buildApp } from '../../src/http/app.ts';
import { Problem, type ProblemCode, problemTable } from '../../src/lib/problem.ts';
import { appFor, scripted } from './scripted.ts';

const failing = (error: unknown) =>
  scripted({
    subject: async () => {
      throw error;
    },
  });

describe('errors', () => {
  let thrown: unknown;
  let app: FastifyInstance;
  before(async () => {
    const control = scripted({ subject: () => Promise.reject(thrown) });
    app = await buildApp({ control, logger: false, token: null, allowedHosts: [], version: '0.0.0-test' });
  });
  after(() => app.close());

  for (const [code, { status, title, next }] of Object.entries(problemTable)) {
    test(`${code} leaves as a ${status} problem`, async () => {
      thrown = new Problem(code as ProblemCode, 'This and that.', { extra: [1], allowed: ['GET'] });
      const reply = await app.inject('/v1/subjects/etcd?');
      assert.equal(reply.statusCode, status);
      assert.equal(reply.headers['content-type'], 'application/problem+json');
      assert.deepEqual(reply.json(), {
        type: `urn:subjectd:problem:${code}`,
        title,
        status,
        code,
        detail: 'This and that.',
        next,
        extra: [1],
        allowed: ['GET'],
        instance: '/v1/subjects/etcd',
        request_id: reply.headers['x-request-id'],
      });
      assert.equal(reply.headers['retry-after'], status === 503 || code === 'subject_busy' ? '1' : undefined);
    });
  }

  test('what nobody foresaw is a 500 that says nothing of it, and is in the log with its stack', async (t) => {
    let log = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        log += chunk;
        done();
      },
    });
    const error = Object.assign(new Error('secret words'), { code: 'EWHATEVER' });
    const reply = await (await appFor(t, failing(error), { logger: pino(stream) })).inject('/v1/subjects/etcd');
    assert.equal(reply.statusCode, 500);
    assert.equal(reply.json().code, 'internal');
    assert.doesNotMatch(reply.body, /secret|stack|\.ts/);
    const line = log
      .split('\n')
      .map((text) => (text === '' ? null : JSON.parse(text)))
      .find((entry) => entry?.err !== undefined);
    assert.equal(line.err.message, 'secret words');
    assert.match(line.err.stack, /problems\.test\.ts/);
    assert.equal(line.request_id, reply.json().request_id);
  });

  test('what is thrown and is no error is a 500 too', async () => {
    for (thrown of ['text', 5, null, undefined]) {
      const reply = await app.inject('/v1/subjects/etcd');
      assert.equal(reply.statusCode, 500, String(thrown));
      assert.equal(reply.json().code, 'internal');
    }
  });
});

describe('docs/errors.md', () => {
  test('lists exactly the codes of the table, with their status, meaning and what to do', () => {
    const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \| (.+) \|$/gm)].map(([, code, status, title, next]) => [
      code,
      Number(status),
      title,
      next,
    ]);
    assert.deepEqual(
      rows,
      Object.entries(problemTable).map(([code, { status, title, next }]) => [code, status, title, next]),
    );
  });
});
