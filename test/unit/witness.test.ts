import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { atLeast, atMost } from '../../src/faults/witness/binomial.ts';
import { judgeCut } from '../../src/faults/witness/cut.ts';
import { judgeDelay } from '../../src/faults/witness/delay.ts';
import { judgeLoss } from '../../src/faults/witness/loss.ts';
import { judgeRate, rateTrain } from '../../src/faults/witness/rate.ts';
import type { Run } from '../../src/faults/witness/trains.ts';

type Role = Run['role'];

/** A run of a train with delays in milliseconds; what has none was lost. */
function run(role: Role, delaysMs: number[], sent = delaysMs.length, rateKbit: number | null = null): Run {
  const us = delaysMs.map((d) => d * 1000).sort((a, b) => a - b);
  const at = (q: number) => us[Math.min(us.length - 1, Math.floor(us.length * q))] ?? 0;
  return {
    name: role,
    role,
    target: role === 'control' ? '' : 'a',
    from: role === 'in' ? 'b' : 'a',
    to: role === 'in' ? 'a' : 'b',
    address: '10.0.0.1',
    train: {
      name: role,
      sent,
      received: us.length,
      refused: 0,
      delay_us: us.length === 0 ? null : { min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) },
      delays_us: us,
      rate_kbit: rateKbit,
    },
  };
}

const flat = (ms: number, n = 24) => Array.from({ length: n }, () => ms);
const lossy = (role: Role, sent: number, received: number) => run(role, flat(0.1, received), sent);

describe('the binomial tail', () => {
  test('agrees with the sum of exact terms', () => {
    const exact = (k: number, n: number, p: number): number => {
      let sum = 0;
      for (let i = 0; i <= k; i++) {
        let c = 1;
        for (let j = 0; j < i; j++) c = (c * (n - j)) / (j + 1);
        sum += c * p ** i * (1 - p) ** (n - i);
      }
      return sum;
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 40 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (n, k, p) => {
        assert.ok(Math.abs(atMost(Math.min(k, n), n, p) - exact(Math.min(k, n), n, p)) < 1e-9);
      }),
    );
  });

  test('has its ends', () => {
    assert.equal(atMost(5, 5, 0.3), 1);
    assert.equal(atMost(0, 10, 0), 1);
    assert.equal(atMost(3, 10, 1), 0);
    assert.equal(atLeast(0, 10, 0.5), 1);
  });
});

describe('the witness of a delay', () => {
  const before = [run('out', flat(0.1)), run('control', flat(0.1))];

  test('confirms what was asked for', () => {
    const after = [run('out', flat(100)), run('control', flat(0.1))];
    assert.equal(judgeDelay(before, after, { minMs: 50, maxMs: 150 }), 'confirmed');
  });

  test('says of an undelayed train that it is not there', () => {
    assert.equal(judgeDelay(before, before, { minMs: 50, maxMs: 150 }), 'not_observed');
  });

  test('is not misled by a host that slows everything down', () => {
    const slow = [run('out', flat(80)), run('control', flat(80))];
    assert.notEqual(judgeDelay(before, slow, { minMs: 50, maxMs: 150 }), 'confirmed');
  });

  test('confirms a real delay on a loaded host', () => {
    const loaded = [run('out', [...flat(55, 12), ...flat(120, 12)]), run('control', flat(6))];
    assert.equal(judgeDelay(before, loaded, { minMs: 50, maxMs: 150 }), 'confirmed');
  });

  test('cannot tell when nothing arrives', () => {
    assert.equal(judgeDelay(before, [run('out', [], 24), run('control', flat(0.1))], { minMs: 50, maxMs: 150 }), 'inconclusive');
  });

  test('never confirms when a packet came faster than the shortest delay', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 40, noNaN: true }), fc.double({ min: 50, max: 500, noNaN: true }), (quick, slow) => {
        const after = [run('out', [quick, ...flat(slow, 23)]), run('control', flat(0.1))];
        assert.notEqual(judgeDelay(before, after, { minMs: 50, maxMs: 150 }), 'confirmed');
      }),
    );
  });
});

describe('the witness of a loss', () => {
  const before = [lossy('out', 300, 300), lossy('control', 300, 300)];

  test('confirms a share as it was asked for', () => {
    assert.equal(judgeLoss(before, [lossy('out', 300, 205), lossy('control', 300, 300)], 30), 'confirmed');
    assert.equal(judgeLoss(before, [lossy('out', 300, 0), lossy('control', 300, 300)], 100), 'confirmed');
  });

  test('says of a train that lost nothing that a large loss is not there', () => {
    assert.equal(judgeLoss(before, before, 30), 'not_observed');
  });

  test('cannot tell one percent from none', () => {
    assert.equal(judgeLoss(before, before, 1), 'inconclusive');
    assert.equal(judgeLoss(before, [lossy('out', 300, 299), lossy('control', 300, 300)], 1), 'inconclusive');
  });

  test('is not misled by a host that loses everywhere', () => {
    const loaded = [lossy('out', 300, 240), lossy('control', 300, 240)];
    assert.notEqual(judgeLoss([lossy('out', 300, 245), lossy('control', 300, 300)], loaded, 20), 'confirmed');
  });

  test('never confirms a train that lost nothing', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 100, noNaN: true }), (percent) => {
        assert.notEqual(judgeLoss(before, before, percent), 'confirmed');
      }),
    );
  });
});

describe('the witness of a rate', () => {
  const shape = rateTrain(1000);
  /** A train whose packets come at this rate after a first burst, or as they were sent when that is slower. */
  const at = (kbit: number) => {
    const perPacketMs = ((shape.size + 42) * 8) / kbit;
    const sendMs = shape.interval_us / 1000;
    let free = 0;
    const delays = Array.from({ length: shape.count }, (_, i) => {
      if (i * (shape.size + 42) < 5000) return 0.1;
      free = Math.max(free, i * sendMs) + perPacketMs;
      return free - i * sendMs;
    });
    const one = run('out', delays, shape.count, kbit);
    return { ...one, train: { ...one.train, delays_us: delays.map((d) => d * 1000) } };
  };

  test('confirms a rate that fell to what was asked for', () => {
    assert.equal(judgeRate([at(1_000_000)], [at(1000)], 1000, shape), 'confirmed');
    assert.equal(judgeRate([at(1_000_000)], [at(1_000_000)], 1000, shape), 'not_observed');
  });

  test('cannot tell on a host where the train was slow before', () => {
    assert.equal(judgeRate([at(900)], [at(900)], 1000, shape), 'inconclusive');
  });

  test('its train goes at twice the rate, and is several bursts long', () => {
    fc.assert(
      fc.property(fc.integer({ min: 32, max: 200_000 }), (rate) => {
        const shape = rateTrain(rate);
        const seconds = (shape.count * shape.interval_us) / 1e6;
        const kbit = (shape.count * (shape.size + 42) * 8) / 1000 / seconds;
        assert.ok(kbit > 1.5 * rate, `${kbit} for ${rate}`);
        assert.ok(shape.count <= 4000 && shape.size <= 1400 && shape.count * shape.size >= 8000);
      }),
    );
  });
});

describe('the witness of a cut', () => {
  const all = (received: number) => [lossy('out', 20, received), lossy('in', 20, received), lossy('control', 20, 20)];
  const isCut = (r: Run) => r.role !== 'control';

  test('confirms when nothing passes in the cut directions and all else passes', () => {
    assert.equal(judgeCut(all(20), all(0), isCut), 'confirmed');
  });

  test('one packet is enough to say that it is not there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 1 }), (passed, where) => {
        const after = all(0);
        after[where] = lossy(where === 0 ? 'out' : 'in', 20, passed);
        assert.equal(judgeCut(all(20), after, isCut), 'not_observed');
      }),
    );
  });

  test('cannot tell when nothing passed before, or when what should pass does not', () => {
    assert.equal(judgeCut(all(0), all(0), isCut), 'inconclusive');
    const dead = [lossy('out', 20, 0), lossy('in', 20, 0), lossy('control', 20, 0)];
    assert.equal(judgeCut(all(20), dead, isCut), 'inconclusive');
  });

  test('with one direction, the other must still pass', () => {
    const onlyIn = (r: Run) => r.role === 'in';
    assert.equal(judgeCut(all(20), [lossy('out', 20, 20), lossy('in', 20, 0), lossy('control', 20, 20)], onlyIn), 'confirmed');
    assert.equal(judgeCut(all(20), all(0), onlyIn), 'inconclusive');
  });
});
