import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { byCodePoint, draw, shareCount } from '../../src/faults/select.ts';

interface Vector {
  seed: number;
  candidates: string[];
  count: number;
  chosen: string[];
  draws: number[];
}

const vectors = JSON.parse(readFileSync(new URL('../../docs/sha256-v1.json', import.meta.url), 'utf8')) as Vector[];

describe('target selection sha256-v1', () => {
  test('the test vectors in the docs hold', () => {
    assert.ok(vectors.length >= 10);
    for (const v of vectors) {
      const { chosen, selection } = draw(v.seed, v.candidates, v.count);
      assert.deepEqual({ chosen, draws: selection.draws }, { chosen: v.chosen, draws: v.draws }, JSON.stringify(v));
    }
  });

  test('the order in which candidates are given does not matter', () => {
    const names = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 47 }),
        names.chain((n) => fc.tuple(fc.constant(n), fc.shuffledSubarray(n, { minLength: n.length }))),
        (seed, [given, permuted]) => {
          assert.deepEqual(draw(seed, given, given.length), draw(seed, permuted, permuted.length));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('nobody is chosen twice, and only candidates are', () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(fc.nat(), names, fc.nat(), (seed, candidates, n) => {
        const { chosen } = draw(seed, candidates, 1 + (n % candidates.length));
        assert.equal(new Set(chosen).size, chosen.length);
        assert.ok(chosen.every((c) => candidates.includes(c)));
      }),
    );
  });

  test('more targets than candidates is no_candidate', () => {
    assert.throws(() => draw(1, ['a'], 2), { code: 'no_candidate' });
  });

  test('names are sorted by code point, not by UTF-16 unit', () => {
    assert.deepEqual(['\u{1F600}', '\uFF5E', 'a'].sort(byCodePoint), ['a', '\uFF5E', '\u{1F600}']);
  });

  test('a minority is less than half, a majority more', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((n) => [shareCount('minority', n), shareCount('majority', n)]),
      [
        [0, 1],
        [0, 2],
        [1, 2],
        [1, 3],
        [2, 3],
      ],
    );
  });
});
