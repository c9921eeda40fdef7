import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HealthView, ResetResult, StateView, SubjectView } from '../../src/control/api.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { compose, docker, freePort, leftovers, testEnv } from './service.ts';

const image = 'subjectd/subjectd:dev';
const token = 'a-token-for-the-container-test';
const name = 't-subjectd';
const at = '/v1/subjects/etcd';
const project = `${testEnv.SUBJECTD_PROJECT_PREFIX}etcd`;
const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');

describe('the service as an image', () => {
  let url = '';
  const call = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${token}` },
  ) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(150_000),
    });
    return { status: response.status, body: (await response.json()) as T };
  };
  const run = (env: Record<string, string>, port: number) =>
    docker(
      'run',
      '-d',
      '--name',
      name,
      '-v',
      `${socket}:/var/run/docker.sock`,
      '-p',
      `127.0.0.1:${port}:8080`,
      ...Object.entries(env).flatMap(([k, v]) => ['-e', `${k}=${v}`]),
      image,
    );
  const ready = async () => {
    using limited = deadline('the container’s /readyz', 30_000);
    await until(
      (signal) =>
        fetch(`${url}/readyz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) }).then(
          (r) => (r.ok ? true : undefined),
          () => undefined,
        ),
      100,
      limited,
    );
  };
  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    run(
      {
        SUBJECTD_HOST: '0.0.0.0',
        SUBJECTD_TOKEN: token,
        SUBJECTD_PROJECT_PREFIX: testEnv.SUBJECTD_PROJECT_PREFIX,
        SUBJECTD_PORT_OFFSET: testEnv.SUBJECTD_PORT_OFFSET,
      },
      port,
    );
    await ready();
  });
  after(async () => {
    await call('DELETE', at);
    docker('rm', '-f', '-v', name);
    assert.deepEqual(leftovers(project), []);
  });

  test('without a token it refuses to listen on all addresses', () => {
    const refused = docker('run', '-d', '-v', `${socket}:/var/run/docker.sock`, '-e', 'SUBJECTD_HOST=0.0.0.0', image);
    try {
      assert.equal(docker('wait', refused), '1');
    } finally {
      docker('rm', '-f', '-v', refused);
    }
  });

  test('only /healthz and /readyz are open; all else needs the token', async () => {
    assert.equal((await call('GET', '/healthz', undefined, {})).status, 200);
    assert.equal((await call('GET', '/readyz', undefined, {})).status, 200);
    for (const path of ['/v1/subjects', '/metrics', '/openapi.json', '/docs', '/']) {
      assert.equal((await fetch(`${url}${path}`)).status, 401, path);
      assert.equal((await fetch(`${url}${path}`, { headers: { authorization: 'Bearer wrong-token-wrong-token' } })).status, 401, path);
    }
    assert.equal((await call('GET', '/v1/subjects')).status, 200);
  });

  test('it reaches the nodes from inside its container: reset, state, kill, heal', async () => {
    const reset = await call<ResetResult>('POST', `${at}/reset`);
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
    const state = await call<StateView>('GET', `${at}/state`);
    assert.deepEqual([state.status, state.body.complete], [200, true]);
    const fault = await call<Fault>('POST', `${at}/faults`, { chaos_type: 'node_kill', seed: 7 });
    assert.deepEqual([fault.status, fault.body.effect?.verdict], [201, 'confirmed'], JSON.stringify(fault.body));
    const healed = await call<Fault>('DELETE', `${at}/faults/${fault.body.id}`);
    assert.deepEqual([healed.body.state, healed.body.heal?.verdict], ['healed', 'clean'], JSON.stringify(healed.body));
    const health = await call<HealthView>('GET', `${at}/health?wait=healthy&timeout_ms=30000`);
    assert.equal(health.body.healthy, true, JSON.stringify(health.body));
    const again = await call<ResetResult>('POST', `${at}/reset`);
    assert.deepEqual([again.status, again.body.generation, again.body.notes], [200, 2, []], JSON.stringify(again.body));
  });

  test('killed with a fault active and started again, it finds its ledger and heals', async () => {
    const fault = await call<Fault>('POST', `${at}/faults`, { chaos_type: 'node_kill', seed: 7 });
    assert.equal(fault.status, 201);
    docker('kill', name);
    docker('start', name);
    await ready();
    using limited = deadline('recovery', 60_000);
    const healed = await until(
      async () => {
        const now = (await call<Fault>('GET', `${at}/faults/${fault.body.id}`)).body;
        return now.state === 'healed' ? now : undefined;
      },
      100,
      limited,
    );
    assert.deepEqual([healed.ended_by, healed.heal?.verdict], ['recovery', 'clean']);
    const health = await call<HealthView>('GET', `${at}/health?wait=healthy&timeout_ms=30000`);
    assert.equal(health.body.healthy, true, JSON.stringify(health.body));
  });

  test('it is not in the way when Compose takes the subject down', async () => {
    compose('-p', project, 'down', '-v');
    assert.deepEqual(leftovers(project), []);
    const subject = await call<SubjectView>('GET', at);
    assert.equal(subject.body.phase, 'absent');
  });
});
