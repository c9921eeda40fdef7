import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fault } from '../../src/faults/fault.ts';
import type { ProblemReply, Service } from './service.ts';
import { withEtcd } from './with_etcd.ts';

const at = '/v1/subjects/etcd';

describe('a system that loses its majority', () => {
  let service: Service;
  withEtcd((up) => {
    service = up;
  });

  test('no running candidate is 422, and nothing changes', async () => {
    const faults: Fault[] = [];
    for (let n = 0; n < 3; n++) {
      const reply = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', seed: n });
      assert.equal(reply.status, 201, JSON.stringify(reply.body));
      faults.push(reply.body);
    }
    const fourth = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill' });
    assert.deepEqual([fourth.status, fourth.body.code], [422, 'no_candidate']);
    const named = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd0' } });
    assert.deepEqual([named.status, named.body.code], [409, 'fault_conflict'], 'the fault that is in the way is named');
    const captured = await service.get<ProblemReply>(`${at}/state`);
    assert.deepEqual([captured.status, captured.body.code], [503, 'state_unavailable']);
    const healed = await service.delete<{ faults: Fault[] }>(`${at}/faults`);
    assert.deepEqual(
      healed.body.faults.map((f) => f.heal?.verdict),
      ['clean', 'clean', 'clean'],
    );
  });

  test('healed one by one, a majority that is dead is unknown until the system can prove itself, then clean', async () => {
    const faults: Fault[] = [];
    for (const node of ['etcd0', 'etcd1'])
      faults.push((await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { node } })).body);
    const third = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd2' } })).body;
    const alone = (await service.delete<Fault>(`${at}/faults/${third.id}`)).body;
    assert.deepEqual([alone.state, alone.heal?.verdict], ['residue', 'unknown'], JSON.stringify(alone.heal));
    const second = (await service.delete<Fault>(`${at}/faults/${faults[0]?.id}`)).body;
    assert.deepEqual([second.state, second.heal?.verdict], ['healed', 'clean'], JSON.stringify(second.heal));
    const after = (await service.get<Fault>(`${at}/faults/${third.id}`)).body;
    assert.deepEqual([after.state, after.heal?.verdict], ['healed', 'clean'], JSON.stringify(after.heal));
    await service.delete(`${at}/faults`);
  });

  test('a role target hits who has the role now, with the reply that proves it', async () => {
    const reply = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { role: 'leader' } });
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    assert.equal(reply.body.selection.proof?.[0]?.node, reply.body.targets[0]?.node);
    await service.delete(`${at}/faults`);
  });
});
