import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { leftovers, Service, testEnv } from './service.ts';

/** Gives the tests of the describe that calls it a service with etcd up, and looks after the last of them that nothing of it is left. */
export function withEtcd(give: (service: Service) => void): void {
  let service: Service;
  before(async () => {
    service = await Service.start();
    give(service);
    const reset = await service.post('/v1/subjects/etcd/reset');
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
  });
  after(async () => {
    await service.close();
    assert.deepEqual(leftovers(`${testEnv.SUBJECTD_PROJECT_PREFIX}etcd`), []);
  });
}
