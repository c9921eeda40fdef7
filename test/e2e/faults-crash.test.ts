import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Event } from '../../src/events/log.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { Rig, type Snapshot } from './faults-rig.ts';
import { docker, Service, testEnv } from './service.ts';

/** The watchdog acts 2 s after a fault's end; a busy host may need some more. */
const watchdogMs = 30_000;

describe('faults outlive nobody', () => {
  let rig: Rig;
  let untouched: Snapshot;
  before(async () => {
    rig = await Rig.start();
    untouched = await rig.snapshot();
  });
  after(() => rig.close());

  const running = (node: string) => docker('inspect', '--format', '{{.State.Status}}', rig.container(node)) === 'running';

  test('kill -9 with faults of the network, disk, CPU and memory active: the next start heals them all', async () => {
    const requests: [string, string, Record<string, unknown>][] = [
      ['latency', 'cell0', { min_ms: 20, max_ms: 40 }],
      ['packet_loss', 'cell0', { percent: 30 }],
      ['bandwidth', 'cell0', { rate_kbit: 4000 }],
      ['network_partition', 'cell2', {}],
      ['disk_pressure', 'cell1', { fill_percent: 60 }],
      ['cpu_pressure', 'cell1', { percent: 50 }],
      ['memory_pressure', 'cell1', { percent: 60 }],
    ];
    const faults: Fault[] = [];
    for (const [chaos_type, node, params] of requests) {
      const { status, body } = await rig.inject({ chaos_type, target: { node }, params });
      assert.equal(status, 201, JSON.stringify(body));
      faults.push(body);
    }
    const alive = await rig.keepAlive();
    await rig.service.kill('SIGKILL');
    assert.ok((await rig.residue()).length >= faults.length, 'nobody has undone anything yet');
    await rig.service.boot();
    alive.close();
    for (const { id } of faults) {
      const { ended_by, heal } = await rig.faultUntil(id, (f) => f.state === 'healed');
      assert.deepEqual([ended_by, heal?.verdict, heal?.residue], ['recovery', 'clean', []]);
    }
    assert.deepEqual(await rig.snapshot(), untouched);
    assert.deepEqual(await rig.residue(), []);
  });

  test('the service never comes back: the watchdog undoes what has expired, and a service that does come back learns of it', async () => {
    const faults = [
      await rig.confirmed({ chaos_type: 'latency', target: { node: 'cell0' }, ttl_ms: 4000 }),
      await rig.confirmed({ chaos_type: 'disk_pressure', target: { node: 'cell0' }, ttl_ms: 4000 }),
      await rig.confirmed({ chaos_type: 'node_kill', target: { node: 'cell1' }, ttl_ms: 4000 }),
    ];
    await rig.service.kill('SIGKILL');
    assert.equal(running('cell1'), false);
    assert.ok((await rig.residue()).length >= 2);
    await rig.snapshotUntil(untouched, watchdogMs);
    assert.ok(running('cell1'));
    using limited = deadline('the fill file', watchdogMs);
    await until(async () => (await rig.residue()).length === 0 || undefined, 100, limited);
    await rig.service.boot();
    for (const { id } of faults) {
      const { ended_by, heal } = await rig.faultUntil(id, (f) => f.state === 'healed');
      assert.deepEqual([ended_by, heal?.verdict], ['watchdog', 'clean']);
    }
  });

  test('no ledger at all: what a dead service left is swept by another, what a live one has is left alone', async () => {
    const { owner } = rig;
    const fault = await rig.confirmed({ chaos_type: 'network_partition', target: { node: 'cell0' } });
    const other = await Service.start({ SUBJECTD_PROJECT_PREFIX: `${testEnv.SUBJECTD_PROJECT_PREFIX}b-` });
    try {
      using start = deadline('the other service at work', 30_000);
      await until(
        async () => {
          const accept = { accept: 'application/json' };
          const { body } = await other.call<{ events: Event[] }>('GET', '/v1/events?after=0&limit=1000', undefined, accept);
          return body.events.some((e) => e.type === 'toolbox.joined') || undefined;
        },
        50,
        start,
      );
      assert.equal(await rig.pings('cell1', 'cell0'), false, 'the fault of a live owner goes on');
      assert.equal((await rig.fault(fault.id)).state, 'active');
      await rig.service.kill('SIGKILL');
      rmSync(rig.service.dataDir, { recursive: true });
      using limited = deadline('end of the owner', 30_000);
      await until(
        async () => {
          const { owners } = await rig.toolbox.call('owners', {}, limited);
          return owners.find((o) => o.owner === owner)?.live === true ? undefined : true;
        },
        100,
        limited,
      );
      await other.kill('SIGKILL');
      await other.boot();
      await rig.snapshotUntil(untouched, 30_000);
      assert.deepEqual(await rig.residue(), []);
      assert.ok(await rig.pings('cell1', 'cell0'));
    } finally {
      await other.close();
      // A service on an empty data directory takes over the project of an owner that is gone.
      await rig.service.kill('SIGKILL');
      await rig.service.boot();
      await rig.reset();
    }
  });
});
