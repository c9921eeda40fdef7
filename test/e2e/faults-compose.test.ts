import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Fault } from '../../src/faults/fault.ts';
import { Rig, type Snapshot } from './faults-rig.ts';

const target = { node: 'cell0' };

const layers: Record<string, Record<string, unknown>> = {
  latency: { min_ms: 60, max_ms: 80 },
  packet_loss: { percent: 20 },
  bandwidth: { rate_kbit: 4000 },
};

/** What a train of 40 packets from cell0 to cell1 meets now, asked of the toolbox and not of the service. */
async function measured(rig: Rig): Promise<{ delayMs: number; lost: number }> {
  const address = await rig.exec('cell0', 'getent', 'ahostsv4', 'cell1').then((text) => text.split(/\s/)[0] ?? '');
  const pairs = [{ name: 'out', from: rig.id('cell0'), to: rig.id('cell1'), address }];
  const { pairs: trains } = await rig.toolbox.call(
    'measure.trains',
    { pairs, count: 100, interval_us: 1000, size: 64, wait_ms: 300 },
    AbortSignal.timeout(20_000),
  );
  const train = trains[0];
  assert.ok(train?.delay_us, JSON.stringify(train));
  return { delayMs: train.delay_us.min / 1000, lost: train.sent - train.received };
}

/** Each lives until its own heal, whatever else was removed before. */
async function expectEach(rig: Rig, live: readonly string[]): Promise<void> {
  const { delayMs, lost } = await measured(rig);
  const seen = `${live.join()}: ${delayMs} ms, ${lost} lost`;
  if (live.includes('latency')) assert.ok(delayMs >= 54, seen);
  // 100 packets at 20 % lose none once in 5 milliards.
  if (live.includes('packet_loss')) assert.ok(lost > 0, seen);
  else assert.equal(lost, 0, seen);
}

describe('faults that live together on one node', () => {
  let rig: Rig;
  let untouched: Snapshot;
  before(async () => {
    rig = await Rig.start();
    untouched = await rig.snapshot();
  });
  after(() => rig.close());

  const orders = [
    { inject: ['latency', 'packet_loss', 'bandwidth'], heal: ['latency', 'packet_loss', 'bandwidth'] },
    { inject: ['bandwidth', 'packet_loss', 'latency'], heal: ['packet_loss', 'bandwidth', 'latency'] },
    { inject: ['packet_loss', 'latency', 'bandwidth'], heal: ['bandwidth', 'latency', 'packet_loss'] },
  ];
  for (const order of orders) {
    test(`${order.inject.join(', ')}: removed one at a time as ${order.heal.join(', ')}, the others go on`, async () => {
      const faults = new Map<string, Fault>();
      for (const name of order.inject) {
        const { status, body } = await rig.inject({ chaos_type: name, target, params: layers[name] });
        assert.equal(status, 201, JSON.stringify(body));
        assert.notEqual(body.effect?.verdict, 'not_observed');
        faults.set(name, body);
      }
      let live = [...order.heal];
      await expectEach(rig, live);
      for (const name of order.heal) {
        const healed = await rig.heal(faults.get(name) as Fault);
        assert.deepEqual([healed.state, healed.heal?.residue], ['healed', []], JSON.stringify(healed.heal));
        live = live.filter((n) => n !== name);
        await expectEach(rig, live);
      }
      assert.deepEqual(await rig.snapshot(), untouched);
      assert.deepEqual(await rig.residue(), []);
    });
  }

  test('a partition beside the three: nothing passes, and what was there before is there after it', async () => {
    for (const name of Object.keys(layers))
      assert.equal((await rig.inject({ chaos_type: name, target, params: layers[name] })).status, 201);
    const cut = await rig.inject({ chaos_type: 'network_partition', target });
    assert.equal(cut.status, 201, JSON.stringify(cut.body));
    assert.equal(await rig.pings('cell1', 'cell0'), false);
    await rig.heal(cut.body);
    await expectEach(rig, Object.keys(layers));
    const all = await rig.service.delete<{ faults: Fault[] }>(`${rig.at}/faults`);
    assert.deepEqual(
      all.body.faults.map((f) => [f.state, f.heal?.verdict]),
      all.body.faults.map(() => ['healed', 'clean']),
    );
    assert.deepEqual(await rig.snapshot(), untouched);
  });

  test('disk, CPU, memory and latency on one node, and the node killed as well', async () => {
    const types: [string, Record<string, unknown>][] = [
      ['disk_pressure', { fill_percent: 60 }],
      ['cpu_pressure', { percent: 50 }],
      ['memory_pressure', { percent: 50 }],
      ['latency', { min_ms: 20, max_ms: 30 }],
    ];
    for (const [chaos_type, params] of types) {
      const { status, body } = await rig.inject({ chaos_type, target, params });
      assert.equal(status, 201, JSON.stringify(body));
    }
    await rig.confirmed({ chaos_type: 'node_kill', target });
    const all = await rig.service.delete<{ faults: Fault[] }>(`${rig.at}/faults`);
    assert.deepEqual(
      all.body.faults.map((f) => [f.state, f.heal?.verdict]),
      all.body.faults.map(() => ['healed', 'clean']),
      JSON.stringify(all.body.faults.map((f) => f.heal)),
    );
    assert.equal(all.body.faults.length, 5);
    assert.deepEqual(await rig.snapshot(), untouched);
    assert.deepEqual(await rig.residue(), []);
  });

  test('two of one layer on one node: 409 fault_conflict names the other; on another node it is possible', async () => {
    const first = await rig.confirmed({ chaos_type: 'latency', target });
    const second = await rig.inject({ chaos_type: 'latency', target, params: { delay_ms: 20 } });
    assert.deepEqual([second.status, second.body.code, second.body.fault], [409, 'fault_conflict', first.id]);
    const kill = await rig.confirmed({ chaos_type: 'node_kill', target: { node: 'cell1' } });
    const pause = await rig.inject({ chaos_type: 'node_pause', target: { node: 'cell1' } });
    assert.deepEqual([pause.status, pause.body.code, pause.body.fault], [409, 'fault_conflict', kill.id]);
    await rig.heal(kill);
    const elsewhere = await rig.confirmed({ chaos_type: 'latency', target: { node: 'cell1' } });
    await rig.healedClean(elsewhere);
    await rig.healedClean(first);
  });

  test('one whose node another fault holds down is looked at again when that one ends', async () => {
    const latency = await rig.confirmed({ chaos_type: 'latency', target, params: layers.latency });
    const kill = await rig.confirmed({ chaos_type: 'node_kill', target });
    const unproven = await rig.heal(latency);
    assert.deepEqual([unproven.state, unproven.heal?.verdict], ['residue', 'unknown'], JSON.stringify(unproven.heal));
    await rig.healedClean(kill);
    const ended = await rig.faultUntil(latency.id, (f) => f.state === 'healed');
    assert.equal(ended.heal?.verdict, 'clean');
    assert.deepEqual(await rig.snapshot(), untouched);
  });
});
