import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { draw } from '../../src/faults/select.ts';
import { Rig, type Snapshot } from './faults-rig.ts';
import { undoing, undoOnce } from './saboteur.ts';

const target = { node: 'cell0' };

const cases: { what: string; chaos_type: string; params?: Record<string, unknown>; undo: (rig: Rig) => string[] }[] = [
  { what: 'its rules were flushed', chaos_type: 'network_partition', undo: undoing.rules },
  { what: 'its rules were flushed', chaos_type: 'latency', params: { min_ms: 40, max_ms: 60 }, undo: undoing.rules },
  { what: 'its qdisc was removed', chaos_type: 'bandwidth', params: { rate_kbit: 2000 }, undo: undoing.qdisc },
  { what: 'its quota was lifted', chaos_type: 'cpu_pressure', params: { percent: 90 }, undo: undoing.quota },
  { what: 'its ballast was killed', chaos_type: 'memory_pressure', params: { percent: 70 }, undo: undoing.ballast },
  { what: 'its file was removed', chaos_type: 'disk_pressure', params: { fill_percent: 70 }, undo: undoing.file },
];

describe('a fault that somebody undoes while it is active', () => {
  let rig: Rig;
  let untouched: Snapshot;
  before(async () => {
    rig = await Rig.start('trio', { SUBJECTD_SUPERVISION_INTERVAL_MS: '1000' });
    untouched = await rig.snapshot();
  });
  after(() => rig.close());

  test('all of it: each kind of fault is over, by somebody outside, and nothing is left', async () => {
    for (const { what, chaos_type, params, undo } of cases) {
      const fault = await rig.confirmed({ chaos_type, target, params });
      undoOnce(undo(rig));
      const ended = await rig.faultUntil(fault.id, (f) => f.state === 'healed', 30_000);
      assert.deepEqual([ended.ended_by, ended.heal?.verdict], ['outside', 'clean'], `${chaos_type}: ${what}`);
    }
    assert.deepEqual(await rig.snapshot(), untouched);
    assert.deepEqual(await rig.residue(), []);
  });

  test('at one of two nodes: it goes on at the other, and says where it is not in force', async () => {
    const cells = ['cell0', 'cell1', 'cell2'];
    const seed = [0, 1, 2, 3, 4, 5].find((n) => draw(n, cells, 2).chosen.includes('cell0'));
    const fault = await rig.confirmed({ chaos_type: 'packet_loss', params: { percent: 60 }, target: { type: 'cell', count: 2 }, seed });
    undoOnce(undoing.rules(rig));
    const weak = await rig.faultUntil(fault.id, (f) => f.uncovered.length > 0, 30_000);
    assert.deepEqual([weak.state, weak.uncovered.map((u) => [u.node, u.until])], ['active', [['cell0', null]]]);
    await rig.healedClean(fault);
    assert.deepEqual(await rig.snapshot(), untouched);
  });

  test('faults that nobody touches stay, beside one another too', async () => {
    const faults = [
      await rig.confirmed({ chaos_type: 'latency', target, params: { min_ms: 20, max_ms: 30 } }),
      await rig.confirmed({ chaos_type: 'bandwidth', target, params: { rate_kbit: 4000 } }),
      await rig.confirmed({ chaos_type: 'disk_pressure', target }),
      await rig.confirmed({ chaos_type: 'memory_pressure', target, params: { percent: 60 } }),
    ];
    // One that is injected and taken back in between changes what the others have in common.
    await rig.healedClean(await rig.confirmed({ chaos_type: 'packet_loss', target, params: { percent: 60 } }));
    undoOnce(undoing.file(rig));
    const [latency, bandwidth, disk, memory] = faults.map((f) => f.id) as [string, string, string, string];
    assert.equal((await rig.faultUntil(disk, (f) => f.state === 'healed', 30_000)).ended_by, 'outside');
    for (const id of [latency, bandwidth, memory]) {
      const { state, uncovered } = await rig.fault(id);
      assert.deepEqual([state, uncovered], ['active', []], id);
      await rig.healedClean({ id });
    }
    assert.deepEqual(await rig.snapshot(), untouched);
  });
});
