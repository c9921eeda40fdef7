import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Capture } from '../../src/captures/capture.ts';
import type { Comparison } from '../../src/captures/comparison.ts';
import type { SubjectView } from '../../src/control/api.ts';
import { docker, leftovers, type ProblemReply, type Service, testEnv } from './service.ts';
import { withEtcd } from './with_etcd.ts';

const at = '/v1/subjects/etcd';
const prefix = testEnv.SUBJECTD_PROJECT_PREFIX;

describe('copies of a kind', () => {
  let service: Service;
  withEtcd((up) => {
    service = up;
  });

  test('another copy of a kind has its own project and its own ports, and goes without residue', async () => {
    const made = await service.post<SubjectView>('/v1/subjects', { kind: 'etcd' });
    assert.deepEqual([made.status, made.body.name, made.body.phase], [201, 'etcd-1', 'absent'], JSON.stringify(made.body));
    const { status } = await service.post('/v1/subjects/etcd-1/reset');
    assert.equal(status, 200);
    const more = await Promise.all([1, 2, 3].map(() => service.post<SubjectView>('/v1/subjects', { kind: 'etcd' })));
    assert.equal(
      new Set(more.flatMap((m) => m.body.endpoints.flatMap((e) => e.outside ?? []))).size,
      9,
      'copies made at once have ports of their own',
    );
    for (const m of more) assert.equal((await service.delete(`/v1/subjects/${m.body.name}`)).status, 200);
    const [first, second] = [(await service.get<SubjectView>(at)).body, (await service.get<SubjectView>('/v1/subjects/etcd-1')).body];
    const ports = (s: SubjectView) => s.endpoints.flatMap((e) => e.outside ?? []);
    assert.equal(new Set([...ports(first), ...ports(second)]).size, ports(first).length + ports(second).length);
    const take = async (name: string) => (await service.post<Capture>(`/v1/subjects/${name}/captures`)).body;
    const [ofFirst, ofCopy] = [await take('etcd'), await take('etcd-1')];
    const same = await service.post<ProblemReply>('/v1/subjects', { kind: 'etcd', name: 'etcd-1' });
    assert.deepEqual([same.status, same.body.code], [409, 'subject_exists']);
    assert.equal((await service.delete('/v1/subjects/etcd-1')).status, 200);
    assert.deepEqual(leftovers(`${prefix}etcd-1`), []);
    assert.equal((await service.get('/v1/subjects/etcd-1')).status, 404);

    await service.kill();
    await service.boot();
    const kept = await service.get<Capture>(`/v1/subjects/etcd-1/captures/${ofCopy.id}`);
    assert.deepEqual(kept.body, ofCopy, 'a capture outlives its subject and the service');
    const compared = (await service.get<Comparison>(`${at}/captures/${ofFirst.id}/diff/${ofCopy.id}`)).body;
    assert.deepEqual([compared.comparable, compared.fingerprint, compared.unknown], [true, [], []], 'a copy is the same system');
  });

  test('names that do not exist, however odd, are 404 and change nothing', async () => {
    const ids = () => docker('ps', '-aq', '--no-trunc', '--filter', `label=com.docker.compose.project=${prefix}etcd`).split('\n').sort();
    const before = ids();
    for (const name of [
      'nope',
      '..%2f..%2fetc',
      '%2e%2e',
      ';reboot',
      '$(reboot)',
      '`reboot`',
      'a'.repeat(3000),
      'etcd%00',
      'ETCD',
      '%20',
    ]) {
      const reply = await service.post<ProblemReply>(`/v1/subjects/${name}/reset`);
      assert.equal(reply.status, 404, `${name.slice(0, 20)}: ${reply.status}`);
    }
    assert.deepEqual(ids(), before);
  });
});
