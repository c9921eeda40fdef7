import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ChaosType } from '../../src/faults/chaos_type.ts';
import { checkParams } from '../../src/faults/params.ts';
import type { Scene } from '../../src/faults/scene.ts';
import { cpuPressure, judgeCpu } from '../../src/faults/types/cpu_pressure.ts';
import { diskPressure, judgeDisk } from '../../src/faults/types/disk_pressure.ts';
import { judgeMemory, memoryPressure } from '../../src/faults/types/memory_pressure.ts';
import { Problem } from '../../src/lib/problem.ts';

const signal = new AbortController().signal;
const targets = [{ node: 'n1', container: 'p-n1-1', container_id: 'id1' }];
const mib = 2 ** 20;

/** A scene of one node, whose toolbox answers what it is told to, each time in turn, the last one for ever; and what was asked of it. */
function sceneOf(answers: Record<string, object[]>) {
  const asked: string[] = [];
  const call = async (op: string) => {
    asked.push(op);
    const [next, ...rest] = answers[op] ?? [];
    assert.ok(next !== undefined, op);
    if (rest.length > 0) answers[op] = rest;
    return next;
  };
  const nodes = [{ name: 'n1', running: true, bounded: [{ volume: 'p_n1', path: '/data' }] }];
  return { scene: { subject: 'p', nodes, toolbox: { call } } as unknown as Scene, asked };
}

const plan = (type: ChaosType, scene: Scene, params: object) =>
  type.plan(scene, { fault: 'flt_1', targets, params: checkParams(type, { ...params }) }, signal);

async function judged(type: ChaosType, scene: Scene, params: object, facts: Record<string, unknown>) {
  const injected = { fault: 'flt_1', targets, params: checkParams(type, { ...params }) };
  const witness = await type.baseline(scene, injected, await type.plan(scene, injected, signal), signal);
  return witness.judge([facts], signal);
}

const refused = (error: unknown) => error instanceof Problem && error.code === 'no_candidate' && error.extra.node === 'n1';

describe('the witness of CPU pressure', () => {
  const share = (cpu_ms: number, throttled: number, wall_ms = 150) => ({
    ...{ wall_ms, cpu_ms, throttled, throttled_ms: throttled * 50, host_idle_percent: 0 },
  });
  const unread = { own: false, holds: null };
  const ours = { own: false, holds: true };
  const limited = { own: true, holds: null };

  test('confirms a throttled node that gets what was left to it', () => {
    assert.equal(judgeCpu(share(290, 0), share(75, 3), 0.5, unread), 'confirmed');
  });

  test('says of a node that gets all that it is not there', () => {
    assert.equal(judgeCpu(share(290, 0), share(290, 0), 0.5, unread), 'not_observed');
  });

  test('a host too busy to give more proves nothing without a throttle', () => {
    assert.equal(judgeCpu(share(40, 0), share(40, 0), 0.5, unread), 'inconclusive');
    assert.equal(judgeCpu(share(40, 0), share(40, 0), 0.5, ours), 'inconclusive');
  });

  test('never confirms without a throttle, nor what the quota file does not hold', () => {
    const cpus = fc.double({ min: 0.01, max: 2, noNaN: true });
    fc.assert(
      fc.property(fc.nat({ max: 300 }), cpus, fc.boolean(), (cpu, asked, holds) => {
        assert.notEqual(judgeCpu(share(290, 0), share(cpu, 0), asked, { own: false, holds }), 'confirmed');
        assert.equal(judgeCpu(share(290, 0), share(cpu, 3), asked, { own: false, holds: false }), 'not_observed');
      }),
    );
  });

  test('a quota of the node’s own is not taken for ours', () => {
    // cpus: 0.5, of which 10 % were to be taken; nothing was. In 150 ms two or three of its periods give what they have.
    for (const [before, after] of [
      [150, 100],
      [100, 100],
      [150, 105],
    ] as const)
      for (const quota of [limited, unread])
        assert.equal(judgeCpu(share(before, 2), share(after, 2), 0.45, quota), 'inconclusive', `${before} ${after}`);
    // It was not throttled before, since the host was busy.
    assert.equal(judgeCpu(share(140, 0), share(75, 2), 0.45, limited), 'inconclusive');
    assert.equal(judgeCpu(share(100, 2), share(100, 2), 0.45, { own: true, holds: false }), 'not_observed');
    assert.equal(judgeCpu(share(100, 2), share(60, 2), 0.25, { own: true, holds: true }), 'confirmed');
  });

  test('what is as near to before as to what was asked is not told from it by the spinners', () => {
    // Lifted in the middle of the look.
    assert.equal(judgeCpu(share(180, 0), share(178, 1), 1.16, unread), 'inconclusive');
    assert.equal(judgeCpu(share(180, 0), share(178, 1), 1.16, { own: false, holds: false }), 'not_observed');
    // The host gave less before than was asked, or hardly more.
    for (const before of [140, 160, 185]) assert.equal(judgeCpu(share(before, 0), share(140, 1), 1, unread), 'inconclusive', `${before}`);
  });

  test('both cores busy: a quota that throttles and is there is confirmed', () => {
    // 179 of 300 ms before are what was recorded on such a host.
    for (const [percent, after] of [
      [42, 165],
      [60, 120],
      [90, 35],
    ] as const)
      assert.equal(judgeCpu(share(179, 0), share(after, 1), (2 * (100 - percent)) / 100, ours), 'confirmed', `${percent} %`);
    for (const after of [75, 90, 120]) assert.equal(judgeCpu(share(100, 2), share(after, 2), 0.5, { own: true, holds: true }), 'confirmed');
  });

  const group = (value: string, quota_us: number | null) => ({
    cpu: { file: '/f', value, quota_us, period_us: 100_000, cpus: 2, allowance_cpus: quota_us === null ? 2 : quota_us / 100_000 },
  });
  const planned = (value: string, quota_us: number | null, ours: string) => {
    const now = group(value, quota_us);
    return { cpu: { ...now.cpu, ours } };
  };

  test('asks for the quota file only where the spinners cannot tell', async () => {
    const free = [planned('-1 100000', null, '100000 100000'), group('-1 100000', null)];
    const clear = sceneOf({ 'measure.cgroup': [...free], 'measure.cpu': [share(290, 0), share(160, 3)] });
    assert.equal((await judged(cpuPressure, clear.scene, { percent: 50 }, {})).verdict, 'confirmed');
    assert.deepEqual(clear.asked, ['measure.cgroup', 'measure.cgroup', 'measure.cpu', 'measure.cpu']);

    const busy = sceneOf({ 'measure.cgroup': [...free, group('100000 100000', 100_000)], 'measure.cpu': [share(140, 0), share(140, 1)] });
    const { verdict, evidence } = await judged(cpuPressure, busy.scene, { percent: 50 }, { ours: '100000 100000' });
    assert.deepEqual([verdict, evidence[0]?.holds_our_quota], ['confirmed', true]);
    assert.deepEqual(busy.asked, [...clear.asked, 'measure.cgroup']);
  });

  test('a node with cpus: 0.5 of whose quota nothing was taken', async () => {
    const same = group('50000 100000', 50_000);
    const { scene } = sceneOf({
      'measure.cgroup': [planned('50000 100000', 50_000, '45000 100000'), same],
      'measure.cpu': [share(100, 2)],
    });
    assert.equal((await judged(cpuPressure, scene, { percent: 10 }, { mechanism: 'withheld' })).verdict, 'not_observed');
  });
});

describe('the witness of memory pressure', () => {
  const limit = 128 * mib;
  const at = (usage: number) => ({ limit_bytes: limit, usage_bytes: usage * mib, charged_bytes: usage * mib });
  const judge = (ballast: number, before: number, after: number, percent: number) =>
    judgeMemory(ballast * mib, before * mib, at(after), percent);

  test('confirms a rise by the ballast, disturbed by the node’s own work or not', () => {
    assert.equal(judge(80, 10, 90, 70), 'confirmed');
    assert.equal(judge(80, 10, 86, 70), 'confirmed');
    assert.equal(judge(80, 10, 120, 70), 'confirmed');
    assert.equal(judge(100, 10, 91, 70), 'confirmed');
  });

  test('no ballast, or one that was killed at once, is not there, however full the node is', () => {
    assert.equal(judge(0, 100, 101, 70), 'not_observed');
    assert.equal(judge(8, 82, 86, 70), 'inconclusive');
    assert.equal(judge(8, 82, 85, 70), 'not_observed');
    assert.equal(judge(80, 10, 12, 70), 'not_observed');
  });

  test('a level that is not reached, and a ballast no larger than what the node moves by itself, prove nothing', () => {
    assert.equal(judge(80, 10, 60, 70), 'inconclusive');
    assert.equal(judge(3, 86.6, 90, 70), 'inconclusive');
  });

  test('goes by what the step did', async () => {
    const group = (usage: number) => ({ memory: at(usage) });
    const measured = () => sceneOf({ 'measure.cgroup': [group(85), group(85), group(91)] }).scene;
    const before = { usage_bytes_before: 90 * mib };
    assert.equal((await judged(memoryPressure, measured(), { percent: 70 }, { ...before, ballast_bytes: 0 })).verdict, 'not_observed');
    assert.equal((await judged(memoryPressure, measured(), { percent: 70 }, { mechanism: 'withheld' })).verdict, 'not_observed');
    const took = { usage_bytes_before: 60 * mib, ballast_bytes: 30 * mib };
    assert.equal((await judged(memoryPressure, measured(), { percent: 70 }, took)).verdict, 'confirmed');
  });

  test('a node that is as full already is refused, unless by the fault’s own ballast', async () => {
    const full = { 'measure.cgroup': [{ memory: at(100) }] };
    await assert.rejects(plan(memoryPressure, sceneOf({ ...full, records: [{ records: [] }] }).scene, { percent: 70 }), refused);
    const armed = { records: [{ records: [{ fault: 'flt_1' }] }] };
    assert.equal((await plan(memoryPressure, sceneOf({ ...full, ...armed }).scene, { percent: 70 })).act.length, 1);
    assert.equal((await plan(memoryPressure, sceneOf({ ...full }).scene, { percent: 90 })).act.length, 1);
  });
});

describe('the witness of disk pressure', () => {
  const disk = (used: number) => ({ total_bytes: 1000, used_bytes: used, available_bytes: 1000 - used });

  test('confirms a rise by the file', () => {
    assert.equal(judgeDisk(700, 100, disk(800), 80), 'confirmed');
    assert.equal(judgeDisk(700, 100, disk(790), 80), 'confirmed');
    assert.equal(judgeDisk(40, 760, disk(830), 80), 'confirmed');
  });

  test('a file that was removed at once is not there, although the node appends to its log', () => {
    assert.equal(judgeDisk(700, 100, disk(101), 80), 'not_observed');
    assert.equal(judgeDisk(30, 770, disk(784), 80), 'not_observed');
    assert.equal(judgeDisk(15, 785, disk(786), 80), 'inconclusive');
    assert.equal(judgeDisk(700, null, disk(900), 80), 'not_observed');
  });

  test('goes by what the step found before it wrote', async () => {
    const mib = 1 << 20;
    const mibs = (used: number) => ({ total_bytes: 1000 * mib, used_bytes: used * mib, available_bytes: (1000 - used) * mib });
    const measured = () => sceneOf({ 'measure.disk': [mibs(770), mibs(770), mibs(785)] }).scene;
    const judge = (facts: Record<string, unknown>) => judged(diskPressure, measured(), { fill_percent: 80 }, facts);
    assert.equal((await judge({ used_bytes_before: 775 * mib })).verdict, 'not_observed');
    assert.equal((await judge({ mechanism: 'withheld' })).verdict, 'not_observed');
    const there = sceneOf({ 'measure.disk': [mibs(770), mibs(770), mibs(800)] }).scene;
    assert.equal((await judged(diskPressure, there, { fill_percent: 80 }, { used_bytes_before: 770 * mib })).verdict, 'confirmed');
  });
});
