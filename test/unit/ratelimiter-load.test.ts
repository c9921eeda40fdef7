import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { emptyTally, line, readLoadSettings } from '../../subjects/ratelimiter/service/load.ts';
import { Witness } from '../../subjects/ratelimiter/service/witness.ts';

/** An allowed check: asked, then answered. */
type Check = [asked: number, answered: number];

/** By trying every set of checks that an interval shorter than the window can hold. */
function provenByBruteForce(checks: readonly Check[], limit: number, windowMs: number): boolean {
  return checks.some(([start]) => checks.filter(([asked, answered]) => asked >= start && answered < start + windowMs).length > limit);
}

describe('the witness', () => {
  const check = fc.tuple(fc.nat(100), fc.nat(30)).map(([asked, took]): Check => [asked, asked + took]);

  test('reports a violation exactly when one can be proved', () => {
    fc.assert(
      fc.property(fc.array(check, { maxLength: 25 }), fc.nat(5), fc.integer({ min: 1, max: 60 }), (checks, limit, windowMs) => {
        const witness = new Witness(limit, windowMs);
        const inOrder = [...checks].sort((a, b) => a[1] - b[1]);
        for (const [asked, answered] of inOrder) witness.allowed('k', asked, answered);
        assert.equal(witness.violations > 0, provenByBruteForce(checks, limit, windowMs));
      }),
      { numRuns: 500 },
    );
  });

  test('counts each key by itself', () => {
    const witness = new Witness(1, 1000);
    assert.equal(witness.allowed('a', 0, 1), false);
    assert.equal(witness.allowed('b', 0, 2), false);
    assert.equal(witness.allowed('a', 3, 4), true);
    assert.equal(witness.violations, 1);
  });

  test('says nothing of checks a whole window apart', () => {
    const witness = new Witness(1, 1000);
    witness.allowed('a', 0, 5);
    assert.equal(witness.allowed('a', 1000, 1000), false);
  });
});

describe('the load generator', () => {
  test('has defaults for the compose file’s three nodes', () => {
    const settings = readLoadSettings({});
    assert.deepEqual(
      settings.targets.map((t) => t.href),
      ['http://limiter1:8080/check', 'http://limiter2:8080/check', 'http://limiter3:8080/check'],
    );
    assert.deepEqual(settings.keys, ['load-0', 'load-1', 'load-2', 'load-3', 'load-4']);
  });

  test('names a setting that is wrong', () => {
    assert.throws(() => readLoadSettings({ TARGETS: 'limiter1' }), /^Error: TARGETS=limiter1: it must be http/);
    assert.throws(() => readLoadSettings({ RATE: '0' }), /^Error: RATE=0: it must be a whole number from 1 to 10000/);
    assert.throws(() => readLoadSettings({ DURATION_S: 'ever' }), /^Error: DURATION_S=ever/);
  });

  test('prints counts and percentiles as one line of JSON', () => {
    const tally = { ...emptyTally(), sent: 3, allowed: 2, refused: 1, latencies: [3, 1, 2.04] };
    assert.deepEqual(JSON.parse(line('now', tally)), {
      at: 'now',
      sent: 3,
      allowed: 2,
      refused: 1,
      unavailable: 0,
      failed: 0,
      skipped: 0,
      violations: 0,
      p50_ms: 2,
      p95_ms: 3,
    });
    assert.equal(JSON.parse(line('now', emptyTally())).p95_ms, 0);
  });
});
