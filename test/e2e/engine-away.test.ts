import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HealthView } from '../../src/control/api.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { CuttableSocket } from './cuttable_socket.ts';
import { type ProblemReply, Service, testEnv } from './service.ts';

const at = '/v1/subjects/etcd';

describe('the engine goes away', () => {
  test('503 while it is away, and the service recovers by itself when it is back', async () => {
    const socket = await CuttableSocket.open(testEnv.SUBJECTD_PROJECT_PREFIX);
    const service = await Service.start({ DOCKER_HOST: socket.dockerHost });
    try {
      assert.equal((await service.post(`${at}/reset`)).status, 200);
      const fault = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill' })).body;
      assert.equal(fault.state, 'active');

      await socket.cut();
      const ready = await service.get('/readyz');
      assert.equal(ready.status, 503);
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [503, 'engine_unavailable']);
      const inject = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill' });
      assert.deepEqual([inject.status, inject.body.code], [503, 'engine_unavailable']);
      const health = await service.get<HealthView>(`${at}/health?wait=healthy&timeout_ms=500`);
      assert.deepEqual([health.status, health.body.healthy], [200, false]);
      const healed = await service.delete<Fault>(`${at}/faults/${fault.id}`);
      assert.deepEqual([healed.body.state, healed.body.heal?.verdict], ['residue', 'unknown'], JSON.stringify(healed.body));

      await socket.mend();
      using limited = deadline('recovery', 60_000);
      const after = await until(
        async () => {
          const now = (await service.get<Fault>(`${at}/faults/${fault.id}`)).body;
          return now.state === 'healed' ? now : undefined;
        },
        100,
        limited,
      );
      assert.equal(after.heal?.verdict, 'clean');
      const well = await service.get<HealthView>(`${at}/health?wait=healthy&timeout_ms=30000`);
      assert.equal(well.body.healthy, true, JSON.stringify(well.body));
    } finally {
      await socket.mend();
      await service.close();
      await socket.close();
    }
  });
});
