import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HealthView, StateView, SubjectView } from '../../src/control/api.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { docker, leftovers, Service, testEnv } from './service.ts';

const at = '/v1/subjects/ratelimiter';
const project = `${testEnv.SUBJECTD_PROJECT_PREFIX}ratelimiter`;

describe('a service of a profile that COMPOSE_PROFILES names', () => {
  let service: Service;
  before(async () => {
    service = await Service.start({ COMPOSE_PROFILES: 'load' });
  });
  after(async () => {
    await service.close();
    assert.deepEqual(leftovers(project), []);
  });

  test('is part of a reset and no node: the rate limiter gets its load', async () => {
    const reset = await service.post(`${at}/reset`);
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
    assert.equal(docker('inspect', '--format', '{{.State.Status}}', `${project}-loadgen-1`), 'running');
    const subject = (await service.get<SubjectView>(at)).body;
    assert.deepEqual(subject.nodes.map((n) => n.name).sort(), ['limiter1', 'limiter2', 'limiter3', 'redis']);
    using limited = deadline('load', 20_000);
    await until(
      async () => {
        const { state } = (await service.get<StateView>(`${at}/state`)).body;
        return (state as { counters: unknown[] }).counters.length > 0 ? true : undefined;
      },
      200,
      limited,
    );
    const health = (await service.get<HealthView>(`${at}/health?fresh=true`)).body;
    assert.deepEqual([health.healthy, health.nodes.length], [true, 4]);
  });
});
