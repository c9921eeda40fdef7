import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HealthView, ResetResult, SubjectView } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { MadeKinds } from './made_kinds.ts';
import { leftovers, type ProblemReply, Service, testEnv } from './service.ts';

const prefix = testEnv.SUBJECTD_PROJECT_PREFIX;

describe('a reset that cannot succeed', () => {
  const kinds = new MadeKinds();
  let service: Service;
  before(async () => {
    kinds.add(
      'dies',
      'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sh, -c, "echo the reason is written here; exit 3"]\n',
    );
    kinds.add(
      'never',
      'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n    healthcheck: {test: [CMD, "false"], interval: 1s}\n',
    );
    kinds.add(
      'nocheck',
      'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n    healthcheck: {test: [CMD, there-is-no-such-command], interval: 1s}\n',
    );
    kinds.add(
      'dieslater',
      'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sh, -c, "sleep 2; echo it went well at first; exit 4"]\n',
      ['a'],
      'false',
    );
    kinds.add('unprovable', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n', ['a'], 'false');
    kinds.add(
      'oneshot',
      'services:\n  init:\n    image: subjectd/etcd:3.5\n    entrypoint: ["true"]\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n    depends_on: {init: {condition: service_completed_successfully}}\n',
    );
    service = await Service.start({ SUBJECTD_SUBJECTS_DIR: kinds.folder });
  });
  after(async () => {
    await service.close();
    kinds.remove();
    for (const name of ['dies', 'never', 'nocheck', 'dieslater', 'unprovable', 'oneshot'])
      assert.deepEqual(leftovers(`${prefix}${name}`), [], name);
  });

  test('a node that exits fails the reset at once, with its last log lines', async () => {
    const reset = await service.post<ProblemReply & { nodes: { logs: string[]; exit_code: number }[] }>('/v1/subjects/dies/reset', {
      timeout_ms: 100_000,
    });
    assert.deepEqual([reset.status, reset.body.code, reset.body.nodes[0]?.exit_code], [504, 'node_failed', 3]);
    assert.ok(reset.body.nodes[0]?.logs.some((l) => l.includes('the reason is written here')));
  });

  test('a node that exits while the system is being proven fails the reset at once too', async () => {
    const reset = await service.post<ProblemReply & { nodes: { logs: string[]; exit_code: number }[] }>('/v1/subjects/dieslater/reset', {
      timeout_ms: 100_000,
    });
    assert.deepEqual(
      [reset.status, reset.body.code, reset.body.nodes?.[0]?.exit_code],
      [504, 'node_failed', 4],
      JSON.stringify(reset.body),
    );
    assert.ok(reset.body.nodes[0]?.logs.some((l) => l.includes('it went well at first')));
  });

  test('kill -9 while the system is being proven: the unproven generation is rolled back', async () => {
    const begun = await service.call<Operation>('POST', '/v1/subjects/unprovable/reset', {}, { prefer: 'respond-async' });
    using limited = deadline('the proof', 30_000);
    await until(
      async () => ((await service.get<Operation>(`/v1/operations/${begun.body.id}`)).body.progress.phase === 'prove' ? true : undefined),
      20,
      limited,
    );
    assert.equal((await service.get<HealthView>('/v1/subjects/unprovable/health?fresh=true')).body.healthy, false);
    await service.kill('SIGKILL');
    await service.boot();
    assert.deepEqual(leftovers(`${prefix}unprovable`), []);
    assert.equal((await service.get<Operation>(`/v1/operations/${begun.body.id}`)).body.error?.code, 'interrupted');
  });

  test('a health check whose command is not in the image fails the reset without waiting for the timeout', async () => {
    const reset = await service.post<ProblemReply>('/v1/subjects/nocheck/reset', { timeout_ms: 100_000 });
    assert.deepEqual([reset.status, reset.body.code], [504, 'node_failed']);
    assert.match(reset.body.detail, /health check cannot run/);
  });

  test('a node that never becomes healthy is 504 at the timeout, with the node named', async () => {
    const reset = await service.post<ProblemReply & { nodes: { name: string }[] }>('/v1/subjects/never/reset', { timeout_ms: 3000 });
    assert.deepEqual([reset.status, reset.body.code, reset.body.nodes[0]?.name], [504, 'not_healthy', 'a']);
    assert.equal((await service.get<SubjectView>('/v1/subjects/never')).body.phase, 'failed');
  });

  test('a one-shot that somebody waits for may end with 0', async () => {
    const reset = await service.post<ResetResult>('/v1/subjects/oneshot/reset');
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
  });
});
