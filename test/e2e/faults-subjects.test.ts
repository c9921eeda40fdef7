import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SubjectView } from '../../src/control/api.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { Rig, type Snapshot } from './faults-rig.ts';
import { docker, testEnv } from './service.ts';

describe('faults of the rate limiter', () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start('ratelimiter');
  });
  after(() => rig.close());

  const url = `http://127.0.0.1:${8001 + Number(testEnv.SUBJECTD_PORT_OFFSET)}`;
  const json = { 'content-type': 'application/json' };
  const check = async (key: string) =>
    (await fetch(`${url}/check`, { method: 'POST', headers: json, body: JSON.stringify({ key, limit: 5, window_ms: 600_000 }) })).status;
  const counter = async (key: string) => {
    const { counters } = (await (await fetch(`${url}/api/counters`)).json()) as { counters: { key: string; count: number }[] };
    return counters.find((c) => c.key === key)?.count ?? 0;
  };

  test('counter_drift: the limiter refuses what it would allow, until the heal', async () => {
    assert.equal(await check('alice'), 200);
    const fault = await rig.confirmed({ chaos_type: 'counter_drift', params: { key: 'alice', extra: 4 } });
    assert.deepEqual([fault.targets[0]?.node, fault.mechanism], ['redis', 'adapter']);
    assert.deepEqual([await counter('alice'), await check('alice')], [5, 429]);
    await rig.healedClean(fault);
    assert.deepEqual([await counter('alice'), await check('alice')], [1, 200]);
  });

  test('counter_drift of a key that somebody deletes all the time is not confirmed', async () => {
    const loop = 'while [ "$(redis-cli EXISTS stop)" = 0 ]; do redis-cli -r 100 DEL ratelimit:bob; done';
    docker('exec', '-d', rig.container('redis'), 'timeout', '60', 'sh', '-c', loop);
    try {
      const drift = await rig.inject({ chaos_type: 'counter_drift', params: { key: 'bob', extra: 4 } });
      assert.deepEqual([drift.status, drift.body.code], [422, 'effect_not_observed'], JSON.stringify(drift.body));
      const kept = await rig.inject({ chaos_type: 'counter_drift', params: { key: 'bob', extra: 4 }, require_effect: false });
      assert.deepEqual([kept.status, kept.body.effect?.verdict], [201, 'not_observed'], JSON.stringify(kept.body));
      await rig.healedClean(kept.body);
    } finally {
      await rig.exec('redis', 'redis-cli', 'SET', 'stop', '1');
    }
  });

  test('what is for Redis is for no limiter, and a Redis that cannot be asked, or answers an error, leaves no fault', async () => {
    for (const chaos_type of ['counter_drift', 'redis_pause']) {
      const params = chaos_type === 'counter_drift' ? { key: 'dave' } : {};
      const refused = await rig.inject({ chaos_type, params, target: { node: 'limiter1' } });
      assert.deepEqual([refused.status, refused.body.code], [422, 'no_candidate'], JSON.stringify(refused.body));
      assert.match(refused.body.detail, /not of type redis/);
    }
    await rig.exec('redis', 'redis-cli', 'SET', 'ratelimit:dave', 'no counter');
    const odd = await rig.inject({ chaos_type: 'counter_drift', params: { key: 'dave' } });
    await rig.exec('redis', 'redis-cli', 'DEL', 'ratelimit:dave');
    const lost = await rig.confirmed({ chaos_type: 'packet_loss', target: { node: 'redis' }, params: { percent: 100 } });
    const cut = await rig.inject({ chaos_type: 'counter_drift', params: { key: 'dave' } });
    await rig.healedClean(lost);
    for (const [answer, why] of [
      [odd, /WRONGTYPE/],
      [cut, /cannot be asked/],
    ] as const) {
      assert.deepEqual(
        [answer.status, answer.body.code, answer.body.fault?.state],
        [503, 'state_unavailable', 'failed'],
        JSON.stringify(answer.body),
      );
      assert.match(answer.body.detail, why);
    }
  });

  test('redis_pause, by name and by role', async () => {
    const paused = await rig.confirmed({ chaos_type: 'redis_pause' });
    assert.equal(paused.targets[0]?.node, 'redis');
    assert.equal(await check('carol'), 503);
    await rig.healedClean(paused);
    assert.equal(await check('carol'), 200);
    const byRole = await rig.confirmed({ chaos_type: 'node_pause', target: { role: 'redis' } });
    assert.deepEqual(
      byRole.selection.proof?.map((p) => [p.node, p.role]),
      [['redis', 'redis']],
    );
    await rig.healedClean(byRole);
  });
});

describe('faults of etcd', () => {
  let rig: Rig;
  let untouched: Snapshot;
  before(async () => {
    rig = await Rig.start('etcd');
    untouched = await rig.snapshot();
  });
  after(() => rig.close());

  test('the leader by its role, with the reply that proves it: paused, another one leads', async () => {
    const first = await rig.confirmed({ chaos_type: 'node_pause', target: { role: 'leader' } });
    const node = first.targets[0]?.node;
    assert.deepEqual(
      first.selection.proof?.map((p) => [p.node, p.role]),
      [[node, 'leader']],
    );
    using limited = deadline('another leader', 30_000);
    await until(
      async () => {
        const { nodes } = (await rig.service.get<SubjectView>(rig.at)).body;
        return nodes.some((n) => n.role === 'leader' && n.name !== node) || undefined;
      },
      100,
      limited,
    );
    await rig.healedClean(first);
  });

  test('a cut of the leader, to it and from it', async () => {
    for (const direction of ['to', 'from']) {
      const cut = await rig.confirmed({ chaos_type: 'network_partition', target: { role: 'leader' }, params: { direction } });
      const trains = cut.effect?.evidence.filter((e) => e.role !== 'control') ?? [];
      for (const t of trains) assert.equal(t.cut, t.role === (direction === 'to' ? 'in' : 'out'), JSON.stringify(t));
      assert.ok(trains.some((t) => t.cut === true) && trains.some((t) => t.cut === false));
      await rig.healedClean(cut);
      assert.deepEqual(await rig.snapshot(), untouched);
    }
  });

  test('a crashed member comes back', async () => {
    const crash = await rig.confirmed({ chaos_type: 'node_crash', target: { role: 'follower' } });
    const ended = await rig.heal(crash);
    assert.deepEqual([ended.state, ended.heal?.verdict], ['healed', 'clean'], JSON.stringify(ended.heal));
  });
});

describe('the four of the original contract, on tikv', () => {
  let rig: Rig;
  let untouched: Snapshot;
  before(async () => {
    rig = await Rig.start('tikv');
    untouched = await rig.snapshot();
  });
  after(() => rig.close());

  /** With default parameters and target. */
  async function injected(chaos_type: string): Promise<Fault> {
    const fault = await rig.confirmed({ chaos_type });
    assert.match(fault.targets[0]?.node ?? '', /^tikv\d$/);
    return fault;
  }

  test('latency', async () => {
    const fault = await injected('latency');
    const { fault_id, interface: device, ...rest } = fault.metadata;
    assert.equal(fault_id, fault.id);
    assert.match(String(device), /^eth\d$/);
    assert.deepEqual(rest, { chaos_type: 'latency', target_container: fault.targets[0]?.container, min_ms: 50, max_ms: 150 });
    await rig.healedClean(fault);
  });

  test('disk_pressure', async () => {
    const fault = await injected('disk_pressure');
    const { fault_id, fill_file, fill_bytes, ...rest } = fault.metadata;
    assert.equal(fault_id, fault.id);
    assert.deepEqual(rest, { chaos_type: 'disk_pressure', target_container: fault.targets[0]?.container, fill_percent: 80 });
    const node = fault.targets[0]?.node ?? '';
    assert.equal(Number(await rig.exec(node, 'stat', '-c', '%s', String(fill_file))), fill_bytes);
    await rig.healedClean(fault);
    await assert.rejects(rig.exec(node, 'stat', String(fill_file)));
  });

  test('network_partition: cut off from every other node, PD included', async () => {
    const fault = await injected('network_partition');
    const { isolated_container, target_ips, chaos_type, fault_id } = fault.metadata;
    assert.deepEqual([chaos_type, fault_id, isolated_container], ['network_partition', fault.id, fault.targets[0]?.container]);
    const addresses = Object.keys(rig.containers())
      .filter((node) => node !== fault.targets[0]?.node)
      .flatMap((node) =>
        docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}', rig.container(node)).trim().split(' '),
      );
    assert.deepEqual([...(target_ips as string[])].sort(), addresses.sort());
    await rig.healedClean(fault);
  });

  test('node_kill', async () => {
    const fault = await injected('node_kill');
    const { fault_id, ...rest } = fault.metadata;
    assert.equal(fault_id, fault.id);
    assert.deepEqual(rest, { chaos_type: 'node_kill', target_container: fault.targets[0]?.container, signal: 'SIGKILL' });
    await rig.healedClean(fault);
  });

  test('PD’s leader as the target', async () => {
    const fault = await rig.confirmed({ chaos_type: 'network_partition', target: { role: 'pd_leader' }, params: { direction: 'from' } });
    assert.deepEqual(
      fault.selection.proof?.map((p) => [p.node, p.role]),
      [[fault.targets[0]?.node, 'pd_leader']],
    );
    await rig.healedClean(fault);
    assert.deepEqual(await rig.snapshot(), untouched);
    assert.deepEqual(await rig.residue(), []);
  });
});
