import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseExact } from '../../subjects/tikv/json.ts';

type Tree = string | number | boolean | null | bigint | Tree[] | { [key: string]: Tree };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.constantFrom('12345678901234567890', '"99999999999999999999', '\\"12345678901234567890', '[-12345678901234567890]'),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.array(tie('tree')),
    fc.dictionary(fc.string(), tie('tree')),
  ),
}));

/** JSON as Go writes it: a BigInt is a bare integer. */
function write(value: Tree): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${write(inner)}`)
    .join(',\n')}}`;
}

/** What must arrive: an integer that a number holds is a number, any other its text. */
function expected(value: Tree): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(expected);
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(JSON.stringify(value))) {
    return JSON.stringify(value);
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'number' ? JSON.parse(JSON.stringify(value)) : value;
  return Object.entries(value).reduce((all, [key, inner]) => Object.defineProperty(all, key, own(expected(inner))), {});
}

const own = (value: unknown) => ({ value, enumerable: true, writable: true, configurable: true });

test('every integer arrives exactly, wherever it stands, and nothing else changes', () => {
  fc.assert(
    fc.property(tree, (value) => assert.deepEqual(parseExact(write(value)), expected(value))),
    { numRuns: 600 },
  );
});

test('a text that is no JSON is refused, and one that is JSON is not', () => {
  const damaged = fc
    .tuple(tree, fc.nat(), fc.constantFrom('', '1', '"', '-', ',', '0', '{', ' ', '99999999999999999999'))
    .map(([value, at, piece]) => {
      const text = write(value);
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + piece + text.slice(cut + 1);
    });
  const parses = (parse: (text: string) => unknown, text: string) => {
    try {
      parse(text);
      return true;
    } catch (error) {
      assert(error instanceof SyntaxError);
      return false;
    }
  };
  fc.assert(
    fc.property(damaged, (text) => assert.equal(parses(parseExact, text), parses(JSON.parse, text), text)),
    { numRuns: 1500 },
  );
});

test('a long number is refused where JSON has none: as a key, with leading zeros, after a sign', () => {
  for (const text of [
    '{99999999999999999999: 1}',
    '099999999999999999999',
    '--99999999999999999999',
    '99999999999999999999x',
    '[1 99999999999999999999]',
  ]) {
    assert.throws(() => parseExact(text), SyntaxError, text);
  }
});

test('long fractions and exponents stay numbers', () => {
  assert.deepEqual(parseExact('[0.12345678901234567890, 1e30, 12345678901234567890.5, 1.5E+400]'), [
    0.12345678901234568,
    1e30,
    12345678901234567000,
    Infinity,
  ]);
});

test('a string of eight million characters is no trouble', () => {
  const long = 'ab"\\\n'.repeat(1_600_000);
  assert.deepEqual(parseExact(JSON.stringify({ long, id: 1 }).replace('"id":1', '"id":7710792315426572224')), {
    long,
    id: '7710792315426572224',
  });
});
