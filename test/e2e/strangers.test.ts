import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { ResetResult, SubjectView } from '../../src/control/api.ts';
import { docker, leftovers, type ProblemReply, type Service, testEnv } from './service.ts';
import { withEtcd } from './with_etcd.ts';

const at = '/v1/subjects/etcd';
const project = `${testEnv.SUBJECTD_PROJECT_PREFIX}etcd`;
const sleeper = ['--entrypoint', 'sleep', 'subjectd/etcd:3.5', '600'];
/** A container that Compose, or somebody by hand, made under the subject's project name. */
const runUnderItsName = () => docker('run', '-d', '--label', `com.docker.compose.project=${project}`, ...sleeper);

describe('what belongs to others', () => {
  let service: Service;
  withEtcd((up) => {
    service = up;
  });

  test('a container of another project that carries a node’s name is never touched', async () => {
    await service.delete(at);
    const name = `${project}-etcd1-1`;
    const stranger = docker('run', '-d', '--name', name, ...sleeper);
    try {
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [409, 'name_conflict']);
      assert.equal(docker('inspect', '-f', '{{.State.Running}}', stranger), 'true');
      assert.deepEqual(leftovers(project), [], 'nothing was begun');
      const fault = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd1' } });
      assert.deepEqual([fault.status, fault.body.code], [422, 'subject_not_running']);
      assert.equal(docker('inspect', '-f', '{{.State.Running}}', stranger), 'true');
    } finally {
      docker('rm', '-f', stranger);
    }
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });

  test('a project of the same name made by Compose itself is refused with the way out', async () => {
    await service.delete(at);
    const stranger = runUnderItsName();
    try {
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [409, 'project_conflict']);
      assert.ok(reset.body.detail.includes(`docker compose -p ${project} down -v`), reset.body.detail);
    } finally {
      docker('rm', '-f', stranger);
    }
  });

  test('a fixed host port that is taken is 409 before anything is burnt', async () => {
    assert.equal((await service.post(`${at}/reset`)).status, 200);
    await service.delete(at);
    const { endpoints } = (await service.get<SubjectView>(at)).body;
    const port = Number(endpoints.find((e) => e.outside !== null)?.outside?.split(':')[1]);
    const holder = createServer();
    holder.listen(port, '127.0.0.1');
    await once(holder, 'listening');
    try {
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [409, 'port_taken']);
      assert.match(reset.body.detail, new RegExp(`127.0.0.1:${port}`));
      assert.deepEqual(leftovers(project), []);
    } finally {
      holder.close();
    }
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });

  test('somebody else’s container on the subject’s network survives a reset and is on it again', async () => {
    const runner = docker('run', '-d', '--network', `${project}_default`, ...sleeper);
    try {
      const reset = await service.post<ResetResult>(`${at}/reset`);
      assert.equal(reset.status, 200, JSON.stringify(reset.body));
      assert.ok(reset.body.notes.some((n) => n.includes('taken off and put back')));
      assert.equal(
        docker('inspect', '-f', '{{.State.Running}} {{range $n, $_ := .NetworkSettings.Networks}}{{$n}}{{end}}', runner),
        `true ${project}_default`,
      );
    } finally {
      docker('rm', '-f', runner);
    }
  });

  test('a tear-down that is refused leaves the subject as it was', async () => {
    const stranger = runUnderItsName();
    try {
      const gone = await service.delete<ProblemReply>(at);
      assert.deepEqual([gone.status, gone.body.code], [409, 'project_conflict']);
      assert.equal((await service.get<SubjectView>(at)).body.phase, 'running');
    } finally {
      docker('rm', '-f', stranger);
    }
  });
});
