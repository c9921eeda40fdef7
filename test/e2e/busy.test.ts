import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResetResult } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import type { Fault } from '../../src/faults/fault.ts';
import type { ProblemReply, Service } from './service.ts';
import { withEtcd } from './with_etcd.ts';

const at = '/v1/subjects/etcd';

describe('a subject that is busy', () => {
  let service: Service;
  withEtcd((up) => {
    service = up;
  });

  test('a second reset while one runs is 409 subject_busy, naming the operation', async () => {
    const first = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
    assert.equal(first.status, 202);
    const second = await service.post<ProblemReply>(`${at}/reset`);
    assert.deepEqual([second.status, second.body.code, second.body.operation], [409, 'subject_busy', first.body.id]);
    assert.ok(Number(second.headers.get('retry-after')) >= 1);
    const capture = await service.post<ProblemReply>(`${at}/captures`);
    assert.deepEqual([capture.status, capture.body.code, capture.body.operation], [409, 'subject_busy', first.body.id]);
    assert.ok(Number(capture.headers.get('retry-after')) >= 1);
    const ended = await service.get<Operation>(`/v1/operations/${first.body.id}?wait_ms=60000`);
    assert.equal(ended.body.state, 'succeeded', JSON.stringify(ended.body.error));
    assert.equal((ended.body.result as ResetResult).healthy, true);
  });

  test('a cancelled reset says so, and the next one is clean', async () => {
    const first = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
    await service.post(`/v1/operations/${first.body.id}/cancel`);
    const ended = await service.get<Operation>(`/v1/operations/${first.body.id}?wait_ms=60000`);
    assert.deepEqual([ended.body.state, ended.body.error?.code], ['cancelled', 'operation_cancelled']);
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });

  test('heal-all gets through a busy subject', async () => {
    const first = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
    const healed = await service.delete<{ faults: Fault[] }>(`${at}/faults`);
    assert.equal(healed.status, 200, JSON.stringify(healed.body));
    const ended = await service.get<Operation>(`/v1/operations/${first.body.id}?wait_ms=1000`);
    assert.equal(ended.body.state, 'cancelled');
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });
});
