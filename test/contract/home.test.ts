import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HealthView, SubjectView } from '../../src/control/api.ts';
import { Problem } from '../../src/lib/problem.ts';
import { appFor, scripted } from './scripted.ts';

const subject = (name: string): SubjectView => ({
  name,
  kind: 'etcd',
  project: name,
  phase: 'running',
  generation: 1,
  nodes: [],
  endpoints: [],
  operation: null,
});
const health = (name: string): HealthView => ({
  subject: name,
  healthy: true,
  has_issues: false,
  nodes: [],
  issues: [],
  details: {},
  last_updated: '2026-01-01T00:00:00.000Z',
});
const control = (name: string) => scripted({ subjects: async () => [subject(name)], health: async () => health(name) });

describe('/', () => {
  test('leads a person on: to the documentation, the subjects with phase and health, and a call to try', async (t) => {
    const app = await appFor(t, control('etcd'));
    const reply = await app.inject({ url: '/', headers: { host: 'localhost:8080', accept: 'text/html,*/*;q=0.8' } });
    assert.match(String(reply.headers['content-type']), /^text\/html/);
    for (const part of [
      'href="/docs"',
      'href="/openapi.json"',
      '>etcd<',
      'running',
      '>healthy<',
      'curl -X POST http://localhost:8080/v1/subjects/etcd/reset',
    ]) {
      assert.ok(reply.body.includes(part), part);
    }
  });

  test('needs nothing from elsewhere and runs no script', async (t) => {
    const reply = await (await appFor(t, control('etcd'))).inject('/');
    assert.match(String(reply.headers['content-security-policy']), /default-src 'none'/);
    assert.doesNotMatch(reply.body, /<script|<link|<img|src=/);
  });

  test('shows names as text, whatever is in them', async (t) => {
    const reply = await (await appFor(t, control('<b onclick="x">&\'$&'))).inject('/');
    assert.ok(reply.body.includes('&#60;b onclick=&#34;x&#34;&#62;&#38;&#39;$&#38;'));
    assert.doesNotMatch(reply.body, /<b onclick/);
  });

  test('tells about the token in its example only when there is one', async (t) => {
    assert.doesNotMatch((await (await appFor(t, control('etcd'))).inject('/')).body, /Bearer/);
    const locked = await appFor(t, control('etcd'), { token: 'a-secret-token' });
    const { body } = await locked.inject({ url: '/', headers: { authorization: 'Bearer a-secret-token' } });
    assert.match(body, /Bearer \$SUBJECTD_TOKEN/);
    assert.doesNotMatch(body, /a-secret-token/);
  });

  test('gives the same to programs', async (t) => {
    const reply = await (await appFor(t, control('etcd'))).inject({ url: '/', headers: { accept: 'application/json' } });
    const { name, links, subjects, problem } = reply.json();
    assert.deepEqual([name, links.documentation, links.contract, problem], ['subjectd', '/docs', '/openapi.json', null]);
    assert.deepEqual(subjects, [{ name: 'etcd', kind: 'etcd', phase: 'running', healthy: true, last_updated: '2026-01-01T00:00:00.000Z' }]);
  });

  test('is there, and says why, when the subjects cannot be shown', async (t) => {
    const ill = scripted({ subjects: () => Promise.reject(new Problem('engine_unavailable', 'The engine <is> away.')) });
    const reply = await (await appFor(t, ill)).inject('/');
    assert.equal(reply.statusCode, 200);
    assert.match(reply.body, /The engine &#60;is&#62; away\./);
  });
});
