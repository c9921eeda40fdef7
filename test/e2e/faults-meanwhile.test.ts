import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { SubjectView } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { Rig, type Snapshot } from './faults-rig.ts';
import { docker } from './service.ts';

const target = { node: 'cell0' };

describe('somebody else works on the target meanwhile', () => {
  let rig: Rig;
  let untouched: Snapshot;
  before(async () => {
    rig = await Rig.start();
    untouched = await rig.snapshot();
  });
  after(() => rig.close());
  afterEach(async () => {
    const { faults } = (await rig.service.delete<{ faults: Fault[] }>(`${rig.at}/faults`)).body;
    assert.deepEqual(
      faults.filter((f) => f.state !== 'healed').map((f) => f.heal),
      [],
    );
  });

  const lost = (fault: Fault) => fault.uncovered.length === 1 && fault.uncovered[0]?.until !== null;

  test('a restarted target: the fault is put back, with the uncovered time and a verdict, and its heal is clean', async () => {
    const latency = await rig.confirmed({ chaos_type: 'latency', target, params: { min_ms: 40, max_ms: 60 } });
    const memory = await rig.confirmed({ chaos_type: 'memory_pressure', target, params: { percent: 60 } });
    docker('restart', '-t', '0', rig.container('cell0'));
    for (const { id } of [latency, memory]) {
      const { state, uncovered } = await rig.faultUntil(id, lost);
      const [gap] = uncovered;
      assert.deepEqual([state, gap?.node, gap?.verdict], ['active', 'cell0', 'confirmed'], JSON.stringify(gap));
      assert.equal(Date.parse(gap?.until ?? '') - Date.parse(gap?.from ?? ''), gap?.ms);
    }
    assert.ok((await rig.residue()).some((r) => r.startsWith('ballast')));
    await rig.healedClean(latency);
    await rig.healedClean(memory);
    assert.deepEqual(await rig.snapshot(), untouched);
    assert.deepEqual(await rig.residue(), []);
  });

  test('a restarted target of a fault that is to be there once: it is over', async () => {
    const fault = await rig.confirmed({ chaos_type: 'packet_loss', target, params: { percent: 50 }, on_target_restart: 'once' });
    docker('restart', '-t', '0', rig.container('cell0'));
    const ended = await rig.faultUntil(fault.id, (f) => f.state === 'healed');
    assert.deepEqual([ended.ended_by, ended.heal?.verdict], ['outside', 'clean']);
    assert.deepEqual(await rig.snapshot(), untouched);
  });

  test('a target that somebody stopped or killed: the heal of its network is no error, and does not call a dead node clean', async () => {
    for (const end of ['stop', 'kill']) {
      const fault = await rig.confirmed({ chaos_type: 'network_partition', target });
      docker(end, rig.container('cell0'));
      const answering = rig.heal(fault);
      // The heal waits for the node to be healthy: it is, once somebody starts it.
      await rig.faultUntil(fault.id, (f) => f.state === 'healing');
      docker('start', rig.container('cell0'));
      const healed = await answering;
      assert.deepEqual([healed.state, healed.heal?.verdict], ['healed', 'clean'], JSON.stringify(healed.heal));
      assert.deepEqual(await rig.snapshot(), untouched);
    }
  });

  test('a target that somebody stopped for good: the heal says so soon, and is clean once somebody started it', async () => {
    const fault = await rig.confirmed({ chaos_type: 'latency', target });
    docker('kill', rig.container('cell0'));
    const dead = await rig.heal(fault);
    assert.deepEqual([dead.state, dead.heal?.residue], ['residue', [{ node: 'cell0', what: 'its container is exited' }]]);
    docker('start', rig.container('cell0'));
    await rig.healedClean(fault);
    assert.deepEqual(await rig.snapshot(), untouched);
  });

  test('a target that somebody paused: the rules go although nothing answers in there', async () => {
    const fault = await rig.confirmed({ chaos_type: 'latency', target });
    docker('pause', rig.container('cell0'));
    const answering = rig.heal(fault);
    await rig.faultUntil(fault.id, (f) => f.state === 'healing');
    docker('unpause', rig.container('cell0'));
    const healed = await answering;
    assert.deepEqual([healed.state, healed.heal?.verdict], ['healed', 'clean'], JSON.stringify(healed.heal));
    assert.deepEqual(await rig.snapshot(), untouched);
  });

  test('a killed node that somebody started is over: outside', async () => {
    const kill = await rig.confirmed({ chaos_type: 'node_kill', target });
    docker('start', rig.container('cell0'));
    const ended = await rig.faultUntil(kill.id, (f) => f.state === 'healed');
    assert.deepEqual([ended.ended_by, ended.heal?.verdict], ['outside', 'clean']);
    const pause = await rig.confirmed({ chaos_type: 'node_pause', target });
    docker('unpause', rig.container('cell0'));
    const thawed = await rig.faultUntil(pause.id, (f) => f.state === 'healed');
    assert.deepEqual([thawed.ended_by, thawed.heal?.verdict], ['outside', 'clean']);
  });

  test('a paused node that somebody killed is not called clean, and is once somebody started it', async () => {
    const pause = await rig.confirmed({ chaos_type: 'node_pause', target });
    docker('kill', rig.container('cell0'));
    const dead = await rig.heal(pause);
    assert.deepEqual([dead.state, dead.heal?.residue], ['residue', [{ node: 'cell0', what: 'its container is exited' }]]);
    docker('start', rig.container('cell0'));
    await rig.healedClean(pause);
  });

  test('a crashed node with a restart policy is over when the policy brought it back', async () => {
    const crash = await rig.confirmed({ chaos_type: 'node_crash', target: { node: 'cell2' } });
    const ended = await rig.faultUntil(crash.id, (f) => f.state === 'healed');
    assert.deepEqual([ended.ended_by, ended.heal?.verdict], ['restart_policy', 'clean']);
    const kill = await rig.confirmed({ chaos_type: 'node_kill', target: { node: 'cell2' } });
    assert.equal((await rig.healedClean(kill)).ended_by, 'api');
  });

  test('a fault whose time is over ends by itself', async () => {
    const faults = [
      await rig.confirmed({ chaos_type: 'latency', target, ttl_ms: 1500 }),
      await rig.confirmed({ chaos_type: 'disk_pressure', target: { node: 'cell1' }, ttl_ms: 1500 }),
    ];
    for (const { id } of faults) {
      const ended = await rig.faultUntil(id, (f) => f.state === 'healed');
      assert.deepEqual([ended.ended_by, ended.heal?.verdict], ['ttl', 'clean']);
    }
    assert.deepEqual(await rig.snapshot(), untouched);
    assert.deepEqual(await rig.residue(), []);
  });

  test('an injection that is cancelled while the engine kills or stops the node: the undo does not overtake it', async () => {
    for (const chaos_type of ['node_kill', 'node_stop', 'node_kill', 'node_stop']) {
      const begun = await rig.service.call<Operation>('POST', `${rig.at}/faults`, { chaos_type, target }, { prefer: 'respond-async' });
      using limited = deadline('the act', 20_000);
      const seen = await until(
        async () => {
          const { body } = await rig.service.get<{ faults: Fault[] }>(`${rig.at}/faults?limit=1`);
          return body.faults[0]?.state === 'planned' || body.faults[0]?.state === 'injecting' ? body.faults[0] : undefined;
        },
        1,
        limited,
      );
      await rig.service.post(`/v1/operations/${begun.body.id}/cancel`);
      const ended = await rig.faultUntil(seen.id, (f) => f.heal !== null);
      assert.deepEqual([ended.state, ended.heal?.verdict], ['failed', 'clean'], JSON.stringify(ended.heal));
      assert.equal(docker('inspect', '--format', '{{.State.Status}}', rig.container('cell0')).trim(), 'running');
    }
  });

  test('a removed target: no error, and no false clean; the reset ends the fault', async () => {
    const latency = await rig.confirmed({ chaos_type: 'latency', target });
    const disk = await rig.confirmed({ chaos_type: 'disk_pressure', target });
    const kill = await rig.confirmed({ chaos_type: 'node_kill', target: { node: 'cell1' } });
    docker('rm', '-f', rig.container('cell0'), rig.container('cell1'));
    const dead = await rig.heal(kill);
    assert.deepEqual([dead.state, dead.heal?.verdict], ['residue', 'dirty'], JSON.stringify(dead.heal));
    assert.match(dead.heal?.residue[0]?.what ?? '', /container is gone/);
    await rig.reset();
    for (const { id } of [latency, disk, kill]) {
      const ended = await rig.fault(id);
      assert.deepEqual([ended.state, ended.heal?.verdict], ['healed', 'clean']);
      assert.equal(ended.ended_by, id === kill.id ? 'api' : 'reset');
    }
    assert.deepEqual(await rig.residue(), []);
    const fresh = await rig.confirmed({ chaos_type: 'latency', target });
    await rig.reset();
    assert.deepEqual([(await rig.fault(fresh.id)).ended_by, (await rig.fault(fresh.id)).heal?.verdict], ['reset', 'clean']);
  });

  test('a reset that is cancelled after it took faults off: they do not go on saying that they are in force', async () => {
    const pause = await rig.confirmed({ chaos_type: 'node_pause', target });
    const latency = await rig.confirmed({ chaos_type: 'latency', target: { node: 'cell1' } });
    const begun = await rig.service.call<Operation>('POST', `${rig.at}/reset`, {}, { prefer: 'respond-async' });
    const at = `/v1/operations/${begun.body.id}`;
    using limited = deadline('the burn, and the end of the reset', 60_000);
    await until(async () => ((await rig.service.get<SubjectView>(rig.at)).body.phase === 'resetting' ? true : undefined), 1, limited);
    await rig.service.post(`${at}/cancel`);
    const { state } = await until(
      async () => {
        const { body } = await rig.service.get<Operation>(at);
        return body.state === 'running' ? undefined : body;
      },
      20,
      limited,
    );
    assert.equal(state, 'cancelled');
    for (const { id } of [pause, latency]) {
      const left = await rig.fault(id);
      assert.ok(['healed', 'residue'].includes(left.state), `${left.chaos_type} is ${left.state}`);
      assert.equal(left.ended_by, 'reset');
    }
    await rig.reset();
    for (const { id } of [pause, latency]) assert.equal((await rig.fault(id)).heal?.verdict, 'clean');
    assert.deepEqual(await rig.residue(), []);
  });
});
