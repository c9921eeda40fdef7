import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SubjectView } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { CuttableSocket } from './cuttable_socket.ts';
import { docker, leftovers, Service, testEnv } from './service.ts';

const at = '/v1/subjects/etcd';
const project = `${testEnv.SUBJECTD_PROJECT_PREFIX}etcd`;

/** Begins a reset and answers its operation when nodes are being started. */
async function startingReset(service: Service): Promise<string> {
  const begun = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  using limited = deadline('nodes are started', 60_000);
  await until(
    async () => {
      const { body } = await service.get<Operation>(`/v1/operations/${begun.body.id}`);
      assert.equal(body.state, 'running', JSON.stringify(body));
      return /^(start|container\.start)/.test(body.progress.phase ?? '') ? true : undefined;
    },
    10,
    limited,
  );
  return begun.body.id;
}

describe('a reset that is cut off', () => {
  test('by the stop of the service is rolled back before it ends', async () => {
    const service = await Service.start();
    try {
      const operation = await startingReset(service);
      assert.equal(await service.kill('SIGTERM'), 0, service.output);
      assert.deepEqual(leftovers(project), []);
      await service.boot();
      assert.equal((await service.get<SubjectView>(at)).body.phase, 'absent');
      assert.equal((await service.get<Operation>(`/v1/operations/${operation}`)).body.error?.code, 'shutting_down');
    } finally {
      await service.close();
    }
  });

  test('by the loss of the engine is 503 and rolled back when the engine is back', async () => {
    const socket = await CuttableSocket.open(testEnv.SUBJECTD_PROJECT_PREFIX);
    const service = await Service.start({ DOCKER_HOST: socket.dockerHost });
    try {
      const operation = await startingReset(service);
      await socket.cut();
      const ended = await service.get<Operation>(`/v1/operations/${operation}?wait_ms=30000`);
      assert.deepEqual([ended.body.state, ended.body.error?.code], ['failed', 'engine_unavailable'], JSON.stringify(ended.body));
      assert.notDeepEqual(leftovers(project), [], 'it was cut off before anything was there');
      await socket.mend();
      using limited = deadline('the roll-back', 60_000);
      await until(
        async () => {
          const { phase, operation } = (await service.get<SubjectView>(at)).body;
          return phase === 'absent' && operation === null ? true : undefined;
        },
        50,
        limited,
      );
      assert.deepEqual(leftovers(project), []);
      assert.equal((await service.post(`${at}/reset`)).status, 200);
    } finally {
      await socket.mend();
      await service.close();
      await socket.close();
    }
  });

  test('kill -9 with a fault on a node that somebody removed: its heal does not claim to be clean', async () => {
    const service = await Service.start();
    try {
      assert.equal((await service.post(`${at}/reset`)).status, 200);
      const killed = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd1' } });
      assert.equal(killed.status, 201, JSON.stringify(killed.body));
      await service.kill('SIGKILL');
      docker('rm', '-f', `${project}-etcd1-1`);
      await service.boot();
      using limited = deadline('the heal of the recovery', 60_000);
      const healed = await until(
        async () => {
          const { body } = await service.get<Fault>(`${at}/faults/${killed.body.id}`);
          return body.heal === null ? undefined : body;
        },
        50,
        limited,
      );
      assert.deepEqual([healed.heal?.verdict, healed.ended_by], ['dirty', 'recovery'], JSON.stringify(healed));
      assert.match(healed.heal?.residue[0]?.what ?? '', /container is gone/);
      assert.equal((await service.post(`${at}/reset`)).status, 200);
      assert.equal((await service.get<Fault>(`${at}/faults/${killed.body.id}`)).body.state, 'healed');
    } finally {
      await service.close();
    }
  });
});
