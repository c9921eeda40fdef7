import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SubjectView } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import type { Event } from '../../src/events/log.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { docker, leftovers, root, Service, testEnv } from './service.ts';

const at = '/v1/subjects/etcd';
const project = `${testEnv.SUBJECTD_PROJECT_PREFIX}etcd`;
const states = () => docker('ps', '-a', '--filter', `label=com.docker.compose.project=${project}`, '--format', '{{.State}}').split('\n');

describe('the service dies, or is told to stop', () => {
  let service: Service;
  before(async () => {
    service = await Service.start();
    const reset = await service.post(`${at}/reset`);
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
  });
  after(async () => {
    await service.close();
    assert.deepEqual(leftovers(project), []);
  });

  test('kill -9 with a fault active: after a restart every node runs again, and the fault says why', async () => {
    const fault = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill' })).body;
    assert.equal(fault.state, 'active');
    await service.kill('SIGKILL');
    assert.ok(states().includes('exited'));
    await service.boot();
    const healed = (await service.get<Fault>(`${at}/faults/${fault.id}`)).body;
    assert.deepEqual([healed.state, healed.ended_by, healed.heal?.verdict], ['healed', 'recovery', 'clean']);
    assert.deepEqual(states(), ['running', 'running', 'running']);
    const subject = (await service.get<SubjectView>(at)).body;
    assert.deepEqual([subject.phase, subject.generation], ['running', 1], 'the running subject is adopted');
  });

  test('what cannot be undone at the start is tried again by itself, until it is', async () => {
    const { endpoints } = (await service.get<SubjectView>(at)).body;
    const fault = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd1' } })).body;
    assert.equal(fault.state, 'active');
    await service.kill('SIGKILL');
    const [host, port] = (endpoints.find((e) => e.node === 'etcd1')?.outside ?? '').split(':');
    const inTheWay = createServer().listen(Number(port), host);
    await once(inTheWay, 'listening');
    await service.boot();
    const left = (await service.get<Fault>(`${at}/faults/${fault.id}`)).body;
    assert.deepEqual([left.state, left.heal?.verdict === 'clean'], ['residue', false], JSON.stringify(left));
    assert.ok(states().includes('exited'));
    inTheWay.close();
    await once(inTheWay, 'close');
    using limited = deadline('the next try', 40_000);
    const healed = await until(
      async () => {
        const now = (await service.get<Fault>(`${at}/faults/${fault.id}`)).body;
        return now.state === 'healed' ? now : undefined;
      },
      200,
      limited,
    );
    assert.equal(healed.heal?.verdict, 'clean');
    assert.deepEqual(states(), ['running', 'running', 'running']);
  });

  test('kill -9 in the middle of a reset: nothing of the half-made generation is left, and the operation says that it was interrupted', async () => {
    const begun = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
    assert.equal(begun.status, 202);
    using limited = deadline('containers of the new generation', 20_000);
    await until(
      async () =>
        docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${project}`, '--filter', 'label=io.subjectd.generation=2') === ''
          ? undefined
          : true,
      5,
      limited,
    );
    await service.kill('SIGKILL');
    await service.boot();
    assert.deepEqual(leftovers(project), []);
    const operation = (await service.get<Operation>(`/v1/operations/${begun.body.id}`)).body;
    assert.deepEqual([operation.state, operation.error?.code], ['failed', 'interrupted']);
    assert.equal((await service.get<SubjectView>(at)).body.phase, 'absent');
    const again = await service.post(`${at}/reset`);
    assert.equal(again.status, 200, JSON.stringify(again.body));
  });

  test('a second service on the same data directory refuses to start, with one sentence', async () => {
    const second = spawnSync(process.execPath, [join(root, 'dist/src/main.js')], {
      env: { PATH: process.env.PATH ?? '', ...testEnv, SUBJECTD_PORT: '0', SUBJECTD_DATA_DIR: service.dataDir },
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(second.status, 1);
    assert.match(second.stderr, /^subjectd: Another subjectd uses the data directory .*\n$/);
  });

  test('another service, with its own data directory, is told whose the project is and touches nothing', async () => {
    const other = await Service.start();
    const before = states();
    const reset = await other.post<{ code: string; containers: string[] }>(`${at}/reset`);
    assert.deepEqual([reset.status, reset.body.code], [409, 'project_conflict']);
    const fault = await other.post<{ code: string }>(`${at}/faults`, { chaos_type: 'node_kill' });
    assert.equal(fault.body.code, 'subject_not_running');
    await other.kill('SIGTERM');
    assert.deepEqual(states(), before);
  });

  test('an expired fault is healed, after an event that says so; a renewed one lives on', async () => {
    const short = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', seed: 1, ttl_ms: 1500 })).body;
    const renewed = await service.call<Fault>('PATCH', `${at}/faults/${short.id}`, { ttl_ms: 4000 });
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    assert.ok(Date.parse(renewed.body.expires_at) > Date.parse(short.expires_at));
    using limited = deadline('expiry', 60_000);
    const healed = await until(
      async () => {
        const now = (await service.get<Fault>(`${at}/faults/${short.id}`)).body;
        return now.state === 'healed' ? now : undefined;
      },
      100,
      limited,
    );
    assert.deepEqual([healed.ended_by, healed.heal?.verdict], ['ttl', 'clean']);
    const { events } = (
      await service.call<{ events: Event[] }>('GET', '/v1/events?after=0&limit=1000', undefined, { accept: 'application/json' })
    ).body;
    const types = events.filter((e) => e.data.fault_id === short.id).map((e) => e.type);
    assert.deepEqual(types, [
      'fault.planned',
      'fault.injecting',
      'fault.active',
      'fault.renewed',
      'fault.expiring',
      'fault.expired',
      'fault.healing',
      'fault.healed',
    ]);
    const expired = events.find((e) => e.type === 'fault.expired' && e.data.fault_id === short.id);
    assert.ok(Date.parse(expired?.at ?? '') >= Date.parse(renewed.body.expires_at) - 50, 'not before the renewed end');
    const late = await service.call<{ code: string }>('PATCH', `${at}/faults/${short.id}`, { ttl_ms: 4000 });
    assert.deepEqual([late.status, late.body.code], [409, 'fault_ended']);
  });

  test('SIGTERM heals what is active and exits with 0; the subject runs on and is adopted', async () => {
    const fault = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', seed: 2 })).body;
    assert.equal(await service.kill('SIGTERM'), 0);
    assert.deepEqual(states(), ['running', 'running', 'running']);
    await service.boot();
    const healed = (await service.get<Fault>(`${at}/faults/${fault.id}`)).body;
    assert.deepEqual([healed.state, healed.heal?.verdict], ['healed', 'clean']);
    assert.equal((await service.get<SubjectView>(at)).body.phase, 'running');
  });

  test('an idempotency key replays its answer over a restart', async () => {
    const send = () => service.post<Fault>(`${at}/faults`, { chaos_type: 'none', seed: 3 }, { 'idempotency-key': 'crash-test-1' });
    const first = await send();
    assert.equal(first.status, 201);
    await service.kill('SIGKILL');
    await service.boot();
    const second = await send();
    assert.deepEqual([second.status, second.body.id], [201, first.body.id]);
  });
});
