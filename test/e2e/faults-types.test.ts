import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Rig, type Snapshot } from './faults-rig.ts';
import { docker } from './service.ts';

const ownHealth = (rig: Rig) => rig.exec('cell0', 'redis-cli', '-e', 'ping');
const ownDns = (rig: Rig) => rig.exec('cell0', 'getent', 'hosts', 'cell1');
const state = (rig: Rig) => docker('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', rig.container('cell0'));

/** Milliseconds that a shell command takes inside cell0. */
async function timed(rig: Rig, command: string): Promise<number> {
  const [from, to] = (await rig.exec('cell0', 'sh', '-c', `date +%s%N; ${command} >/dev/null; date +%s%N`)).split('\n');
  return (Number(to) - Number(from)) / 1e6;
}

async function first(rig: Rig, ...files: string[]): Promise<number> {
  return Number.parseInt(await rig.exec('cell0', 'sh', '-c', `cat ${files.join(' ')} 2>/dev/null | head -1`), 10);
}

const cpuQuota = (rig: Rig) => first(rig, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu.max');

/** One chaos type on cell0 of three, and what is seen of it without asking the service. */
interface Case {
  type: string;
  params?: Record<string, unknown>;
  check: string;
  during(rig: Rig): Promise<void>;
}

const cases: Case[] = [
  {
    type: 'none',
    check: 'unchanged',
    during: async (rig) => {
      assert.ok(await rig.pings('cell0', 'cell1'));
    },
  },
  {
    type: 'latency',
    params: { min_ms: 80, max_ms: 120 },
    check: 'train',
    during: async (rig) => {
      assert.ok((await timed(rig, 'redis-cli -h cell1 ping')) >= 2 * 80, 'the opening and the question are delayed');
    },
  },
  {
    type: 'latency',
    params: { delay_ms: 60, jitter_ms: 10, peers: ['cell1'] },
    check: 'train',
    during: async (rig) => {
      assert.ok((await timed(rig, 'redis-cli -h cell1 ping')) >= 2 * 50);
    },
  },
  { type: 'packet_loss', params: { percent: 50 }, check: 'train', during: async () => {} },
  {
    type: 'packet_loss',
    params: { percent: 100, peers: ['cell1'] },
    check: 'train',
    during: async (rig) => {
      assert.deepEqual([await rig.pings('cell0', 'cell1'), await rig.pings('cell0', 'cell2')], [false, true]);
    },
  },
  {
    type: 'bandwidth',
    params: { rate_kbit: 1000 },
    check: 'rate',
    during: async (rig) => {
      const ms = await timed(rig, 'head -c 100000 /dev/zero | redis-cli -h cell1 -x set big');
      assert.ok(ms >= 600, `800 kbit at 1000 kbit/s in ${ms} ms`);
    },
  },
  {
    type: 'network_partition',
    check: 'train',
    during: async (rig) => {
      const six = docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}{{end}}', rig.container('cell0'));
      const reached = await Promise.all([
        rig.pings('cell0', 'cell1'),
        rig.pings('cell2', 'cell0'),
        rig.pings('cell1', six),
        rig.pings('cell1', 'cell2'),
      ]);
      assert.deepEqual(reached, [false, false, false, true]);
    },
  },
  {
    type: 'disk_pressure',
    params: { fill_percent: 70, path: '/data' },
    check: 'statfs',
    during: async (rig) => {
      const used = Number.parseInt((await rig.exec('cell0', 'df', '--output=pcent', '/data')).split('\n')[1] ?? '', 10);
      assert.ok(used >= 68 && used <= 76, `${used} %`);
    },
  },
  {
    type: 'disk_pressure',
    params: { fill_percent: 100, path: '/data' },
    check: 'statfs',
    during: async (rig) => {
      await assert.rejects(rig.exec('cell0', 'dd', 'if=/dev/zero', 'of=/data/more', 'bs=1M', 'count=4'), /No space left/);
      await rig.exec('cell0', 'rm', '/data/more');
    },
  },
  {
    type: 'cpu_pressure',
    params: { percent: 90 },
    check: 'cpu_share',
    during: async (rig) => {
      assert.ok((await cpuQuota(rig)) > 0);
    },
  },
  {
    type: 'memory_pressure',
    params: { percent: 70 },
    check: 'memory_usage',
    during: async (rig) => {
      const bytes = await first(rig, '/sys/fs/cgroup/memory/memory.usage_in_bytes', '/sys/fs/cgroup/memory.current');
      assert.ok(bytes >= 0.64 * 128 * 2 ** 20, `${bytes}`);
    },
  },
  { type: 'node_kill', check: 'container_state', during: async (rig) => assert.equal(state(rig), 'exited 137') },
  { type: 'node_crash', check: 'container_state', during: async (rig) => assert.equal(state(rig), 'exited 137') },
  { type: 'node_stop', check: 'container_state', during: async (rig) => assert.equal(state(rig), 'exited 0') },
  { type: 'node_restart', check: 'container_state', during: async (rig) => assert.equal(state(rig), 'running 0') },
  {
    type: 'node_pause',
    check: 'frozen',
    during: async (rig) => {
      assert.match(state(rig), /^paused/);
      assert.equal(await rig.pings('cell1', 'cell0'), false);
    },
  },
];

const inNetwork = ['latency', 'packet_loss', 'bandwidth', 'network_partition'];

describe('each chaos type', () => {
  let rig: Rig;
  let untouched: Snapshot;
  before(async () => {
    rig = await Rig.start();
    untouched = await rig.snapshot();
  });
  after(() => rig.close());

  for (const { type, params, check, during } of cases) {
    test(`${type} ${params ? JSON.stringify(params) : ''} takes hold, and nothing is left of it after its heal`, async () => {
      const fault = await rig.confirmed({ chaos_type: type, target: { node: 'cell0' }, ...(params ? { params } : {}) });
      assert.ok(
        fault.effect?.evidence.some((e) => e.check === check && 'before' in e && 'after' in e),
        JSON.stringify(fault.effect),
      );
      assert.deepEqual(
        [fault.metadata.fault_id, fault.metadata.chaos_type, fault.metadata.target_container],
        [fault.id, type, rig.container('cell0')],
      );
      await during(rig);
      if (inNetwork.includes(type)) {
        // What a container's own health check and the engine's resolver need is not disturbed.
        assert.equal(await ownHealth(rig), 'PONG');
        assert.match(await ownDns(rig), /cell1/);
      }
      const healed = await rig.healedClean(fault);
      assert.equal(healed.ended_by, 'api');
      assert.deepEqual(await rig.snapshot(), untouched);
      assert.deepEqual(await rig.residue(), []);
      assert.ok(await rig.pings('cell0', 'cell1'));
      assert.ok(await rig.pings('cell1', 'cell0'));
    });
  }

  test('a partition is one way when it is asked to be, and between groups', async () => {
    const to = await rig.confirmed({ chaos_type: 'network_partition', target: { node: 'cell0' }, params: { direction: 'to' } });
    const arrivals = (fault: typeof to) =>
      fault.effect?.evidence.filter((e) => e.role !== 'control').map((e) => [e.role, (e.after as { received: number }).received > 0]);
    assert.ok(arrivals(to)?.every(([role, arrived]) => arrived === (role === 'out')));
    await rig.healedClean(to);
    const groups = await rig.confirmed({ chaos_type: 'network_partition', params: { groups: [['cell0', 'cell2'], ['cell1']] } });
    const reached = await Promise.all([rig.pings('cell0', 'cell1'), rig.pings('cell1', 'cell2'), rig.pings('cell0', 'cell2')]);
    assert.deepEqual(reached, [false, false, true]);
    await rig.healedClean(groups);
    assert.deepEqual(await rig.snapshot(), untouched);
  });
});
