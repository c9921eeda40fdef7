import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Judgement } from '../../src/faults/chaos_type.ts';
import type { Scene } from '../../src/faults/scene.ts';
import { bandwidth } from '../../src/faults/types/bandwidth.ts';
import { latency } from '../../src/faults/types/latency.ts';
import { packetLoss } from '../../src/faults/types/packet_loss.ts';
import { atLeastBeside } from '../../src/faults/witness/binomial.ts';
import { judgeDelay } from '../../src/faults/witness/delay.ts';
import { judgeLoss } from '../../src/faults/witness/loss.ts';
import { judgeRate, rateTrain } from '../../src/faults/witness/rate.ts';
import { calmest, type Run } from '../../src/faults/witness/trains.ts';
import type { TrainRequest } from '../../src/toolbox/protocol.ts';

type Role = Run['role'];

function run(role: Role, delaysMs: number[], sent = delaysMs.length, over: { refused?: number; name?: string; kbit?: number } = {}): Run {
  const us = delaysMs.map((d) => d * 1000);
  const sorted = [...us].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(us.length - 1, Math.floor(us.length * q))] ?? 0;
  const name = over.name ?? role;
  return {
    ...{
      name,
      role,
      target: role === 'control' ? '' : 'a',
      from: role === 'in' ? 'b' : 'a',
      to: role === 'in' ? 'a' : 'b',
      address: '10.0.0.1',
    },
    train: {
      ...{ name, sent, received: us.length, refused: over.refused ?? 0, delays_us: us, rate_kbit: over.kbit ?? null },
      delay_us: us.length === 0 ? null : { min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) },
    },
  };
}

const flat = (ms: number, n = 24) => Array.from({ length: n }, () => ms);
const lossy = (role: Role, received: number, sent = 240) => run(role, flat(0.1, received), sent);
const calm = run('control', flat(0.1));

describe('the witness of a loss beside other faults', () => {
  test('does not take what was missing before for the fault', () => {
    for (const gone of [240, 200, 120, 48, 24]) {
      const before = [lossy('out', 240 - gone), lossy('control', 240)];
      const after = [lossy('out', 240 - gone), lossy('control', 240)];
      assert.notEqual(judgeLoss(before, after, 20), 'confirmed', `${gone} before and after`);
    }
    assert.equal(judgeLoss([lossy('out', 0), lossy('control', 240)], [lossy('out', 0), lossy('control', 240)], 20), 'inconclusive');
  });

  test('confirms what is lost clearly more than before', () => {
    assert.equal(judgeLoss([lossy('out', 216), lossy('control', 240)], [lossy('out', 132), lossy('control', 240)], 40), 'confirmed');
    assert.equal(judgeLoss([lossy('out', 239), lossy('control', 240)], [lossy('out', 192), lossy('control', 239)], 20), 'confirmed');
  });

  test('is not told by the control of before, and does not need it', () => {
    const control = lossy('control', 240);
    assert.equal(judgeLoss([lossy('out', 240), lossy('control', 120)], [lossy('out', 192), control], 20), 'confirmed');
  });

  test('cannot tell a share from a cut that came meanwhile', () => {
    assert.equal(judgeLoss([lossy('out', 240), lossy('control', 240)], [lossy('out', 0), lossy('control', 240)], 20), 'inconclusive');
  });

  test('counts what was refused to the sender as lost', () => {
    const after = run('out', flat(0.1, 190), 190, { refused: 50 });
    assert.equal(judgeLoss([lossy('out', 240), lossy('control', 240)], [after, lossy('control', 240)], 20), 'confirmed');
  });

  test('Fisher’s test has its known values and ends', () => {
    assert.ok(Math.abs(atLeastBeside(3, 4, 1, 4) - 17 / 70) < 1e-12);
    assert.equal(atLeastBeside(0, 10, 0, 10), 1);
    assert.ok(Math.abs(atLeastBeside(240, 240, 240, 240) - 1) < 1e-9);
  });
});

describe('the witness of a small delay', () => {
  const before = [run('out', flat(0.1)), calm];
  const judge = (after: number[], minMs: number, maxMs: number, control = calm, was = before) =>
    judgeDelay(was, [run('out', after), control], { minMs, maxMs });

  test('does not take noise for it', () => {
    assert.equal(judge(flat(0.4), 0, 1), 'inconclusive');
    assert.equal(judge(flat(0.2), 0.1, 0.1), 'inconclusive');
    assert.equal(judge(flat(0.1), 0.1, 0.3), 'inconclusive');
    assert.equal(judge([...flat(0.1, 11), ...flat(1.6, 13)], 0, 3), 'inconclusive');
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.02, max: 0.9, noNaN: true }), { minLength: 24, maxLength: 24 }), (delays) => {
        for (const [min, max] of [
          [0, 0.5],
          [0, 2],
          [0.5, 0.5],
          [1, 1],
        ] as const)
          assert.notEqual(judge(delays, min, max), 'confirmed');
      }),
      { endOnFailure: true },
    );
  });

  test('compares a pair with itself, not with nothing', () => {
    const slow = [run('out', flat(10)), calm];
    assert.notEqual(judge(flat(13), 5, 5, calm, slow), 'confirmed');
    assert.equal(judge(flat(15), 5, 5, calm, slow), 'confirmed');
    const queue = [run('out', [...flat(5, 12), ...flat(40, 12)]), calm];
    assert.equal(judge(flat(38), 20, 20, calm, queue), 'inconclusive');
  });

  test('confirms 5 ms on a busy host', () => {
    const was = [run('out', [...flat(0.1, 20), ...flat(1.5, 4)]), run('control', [...flat(0.1, 20), ...flat(2, 4)])];
    const control = run('control', [...flat(0.2, 20), ...flat(2.5, 4)]);
    assert.equal(judge([...flat(5.1, 16), ...flat(7, 8)], 5, 5, control, was), 'confirmed');
    assert.equal(judge([...flat(1.2, 4), ...flat(4, 4), ...flat(8, 16)], 0, 10, control, was), 'confirmed');
  });

  test('cannot tell it from what the control shows as well, or from a queue far beyond it', () => {
    assert.notEqual(judge([...flat(5, 24)], 5, 5, run('control', flat(5))), 'confirmed');
    assert.notEqual(judge(flat(8), 5, 5, run('control', [...flat(0.1, 12), ...flat(9, 12)])), 'confirmed');
    assert.equal(judge(flat(300), 50, 100), 'inconclusive');
    assert.equal(judge(flat(5), 5, 5, run('control', [], 24)), 'inconclusive');
  });

  test('is not there when packets are faster than it lets them', () => {
    assert.equal(judge(flat(0.1), 5, 5), 'not_observed');
    assert.equal(judge(flat(0.1), 0, 100), 'not_observed');
  });
});

describe('the control that is kept', () => {
  test('is the first that another fault does not disturb', () => {
    const delayed = run('control', [...flat(50, 12), ...flat(120, 12)], 24, { name: 'delayed' });
    const cut = run('control', [], 24, { name: 'cut' });
    const quiet = run('control', flat(0.1), 24, { name: 'quiet' });
    const names = (...controls: Run[]) => calmest([run('out', flat(0.1)), ...controls]).map((r) => r.name);
    assert.deepEqual(names(quiet, delayed), ['out', 'quiet']);
    assert.deepEqual(names(cut, delayed, quiet), ['out', 'quiet']);
    assert.deepEqual(names(cut, delayed), ['out', 'delayed']);
  });
});

describe('the witness of a rate beside a control', () => {
  const shape = rateTrain(1000);
  const at = (role: Role, kbit: number) => {
    const perPacketMs = ((shape.size + 42) * 8) / kbit;
    let free = 0;
    const delays = Array.from({ length: shape.count }, (_, i) => {
      const now = (i * shape.interval_us) / 1000;
      free = Math.max(free, now) + (i * (shape.size + 42) < 5000 ? 0 : perPacketMs);
      return free - now;
    });
    return run(role, delays, shape.count, { kbit });
  };
  const fast = [at('out', 1e6), at('control', 1e6)];

  test('confirms only what the control does not show as well', () => {
    assert.equal(judgeRate(fast, [at('out', 1000), at('control', 1e6)], 1000, shape), 'confirmed');
    assert.equal(judgeRate(fast, [at('out', 1000), at('control', 1000)], 1000, shape), 'inconclusive');
    assert.equal(judgeRate(fast, fast, 1000, shape), 'not_observed');
  });
});

/** A scene of three nodes whose network is played: what a packet out of the target meets before and after the act. */
function played(of: (request: TrainRequest, pair: TrainRequest['pairs'][number], packet: number) => number | null) {
  const waits: number[] = [];
  const node = (i: number) => ({
    ...{ name: `n${i}`, running: true, containerId: `id${i}`, hostNetwork: false, sharesNetworkWith: [] },
    networks: [{ id: 'x', name: 'x', ipv4: `10.0.0.${i}`, ipv6: null }],
  });
  const call = async (op: string, request: TrainRequest) => {
    if (op !== 'measure.trains') return { packets: null };
    waits.push(request.wait_ms);
    const pairs = request.pairs.map((pair) => {
      const met = Array.from({ length: request.count }, (_, i) => of(request, pair, i));
      const left = (i: number) => ((request.count - 1 - i) * request.interval_us) / 1000 + request.wait_ms;
      return run(
        'out',
        met.flatMap((d, i) => (d !== null && d <= left(i) ? [d] : [])),
        request.count,
      ).train;
    });
    return { pairs };
  };
  const scene = { subject: 'p', nodes: [node(1), node(2), node(3)], toolbox: { call } } as unknown as Scene;
  return { scene, waits };
}

const signal = new AbortController().signal;

async function judged(
  type: typeof latency,
  params: Record<string, unknown>,
  of: (active: boolean, out: boolean, packet: number) => number | null,
): Promise<Judgement & { waits: number[] }> {
  let active = false;
  const { scene, waits } = played((_request, pair, packet) => of(active, pair.from === 'id1' && pair.address !== '127.0.0.1', packet));
  const injected = { fault: 'flt_1', targets: [{ node: 'n1', container: 'c', container_id: 'id1' }], params };
  const witness = await type.baseline(scene, injected, { act: [], undo: [], metadata: {} }, signal);
  active = true;
  return { ...(await witness.judge([], signal)), waits };
}

describe('packet_loss on a node', () => {
  const loses = (packet: number) => packet % 5 === 0;

  test('alone: waits no longer than needed', async () => {
    const { verdict, waits } = await judged(packetLoss, { percent: 20 }, (active, out, i) => (active && out && loses(i) ? null : 0.1));
    assert.equal(verdict, 'confirmed');
    assert.deepEqual(waits, [30, 31]);
  });

  for (const delayMs of [100, 150, 900, 5000]) {
    test(`beside a delay of ${delayMs} ms: confirmed when it is there, and only then`, async () => {
      const real = await judged(packetLoss, { percent: 20 }, (active, out, i) => (!out ? 0.1 : active && loses(i) ? null : delayMs));
      assert.equal(real.verdict, 'confirmed', JSON.stringify(real));
      const placebo = await judged(packetLoss, { percent: 20 }, (_active, out) => (out ? delayMs : 0.1));
      assert.equal(placebo.verdict, 'not_observed', JSON.stringify(placebo));
    });
  }

  test('beside a cut: inconclusive, without waiting for the longest delay', async () => {
    const { scene, waits } = played((_r, pair) => (pair.from === 'id1' || pair.to === 'id1' ? null : 0.1));
    const injected = { fault: 'flt_1', targets: [{ node: 'n1', container: 'c', container_id: 'id1' }], params: { percent: 20 } };
    const witness = await packetLoss.baseline(scene, injected, { act: [], undo: [], metadata: {} }, signal);
    assert.equal((await witness.judge([], signal)).verdict, 'inconclusive');
    assert.ok(
      waits.every((w) => w <= 2500),
      waits.join(),
    );
  });
});

describe('latency on a node', () => {
  test('is looked at again where the host hid it, and not where it is not', async () => {
    const params = { min_ms: 5, max_ms: 5 };
    let sent = 0;
    const hidden = (active: boolean, out: boolean) => (active && sent++ < 24 * 2 ? 40 : active && out ? 5.1 : 0.1);
    const real = await judged(latency, params, hidden);
    assert.equal(real.verdict, 'confirmed', JSON.stringify(real));
    assert.equal(real.waits.length, 3);
    const placebo = await judged(latency, params, () => 0.1);
    assert.deepEqual([placebo.verdict, placebo.waits.length], ['not_observed', 2]);
  });
});

describe('bandwidth on a node', () => {
  test('is measured beside a pair that is not touched, and by itself at rates that two trains cannot be paced at', async () => {
    const roles = async (rate_kbit: number) => (await judged(bandwidth, { rate_kbit }, () => 0.1)).evidence.map((e) => e.role);
    assert.deepEqual(await roles(1000), ['out', 'control']);
    assert.deepEqual(await roles(200_000), ['out']);
  });
});
