import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { interpolate } from '../../src/compose/interpolate.ts';
import { brace } from './compose-helpers.ts';

const env: Record<string, string> = { SET: 'value', EMPTY: '', DOLLAR: 'a$SET', _under9: 'u' };
const lookup = (name: string) => (Object.hasOwn(env, name) ? env[name] : undefined);
const run = (text: string) => interpolate(text, lookup);

describe('interpolation', () => {
  const good: [string, string][] = [
    ['', ''],
    ['plain', 'plain'],
    ['$SET', 'value'],
    [brace('SET'), 'value'],
    [`a${brace('SET')}b$SET-c`, 'avaluebvalue-c'],
    ['$_under9.x', 'u.x'],
    ['$$SET', '$SET'],
    ['$${SET}', brace('SET')],
    [`$$${brace('SET')}`, '$value'],
    ['$$$SET', '$value'],
    ['$EMPTY', ''],
    [brace('EMPTY:-d'), 'd'],
    [brace('EMPTY-d'), ''],
    [brace('NONE:-d'), 'd'],
    [brace('NONE-d'), 'd'],
    [brace('NONE:-'), ''],
    [brace('SET:-d'), 'value'],
    [brace('SET:+d'), 'd'],
    [brace('EMPTY:+d'), ''],
    [brace('EMPTY+d'), 'd'],
    [brace('NONE:+d'), ''],
    [brace('NONE+d'), ''],
    [brace('SET:?why'), 'value'],
    [brace('EMPTY?why'), ''],
    [brace(`NONE:-${brace(`NONE:-${brace('SET')}`)}`), 'value'],
    [brace(`NONE:-$SET/${brace('EMPTY:-x')}`), 'value/x'],
    [brace('NONE:-{"a": {"b": 1}}'), '{"a": {"b": 1}}'],
    [brace('NONE:-a:-b?c+d'), 'a:-b?c+d'],
    [brace('NONE:-$$'), '$'],
    ['$DOLLAR', 'a$SET'],
    ['5 $, $5, $(x), $-, $', '5 $, $5, $(x), $-, $'],
    ['{SET}', '{SET}'],
  ];
  for (const [text, expected] of good) {
    it(`${JSON.stringify(text)} becomes ${JSON.stringify(expected)}`, () => assert.deepEqual(run(text), { text: expected, errors: [] }));
  }

  const bad: [string, number, RegExp][] = [
    ['$NONE', 0, /NONE is not set and has no default; set it/],
    [`$SET ${brace('NONE')}`, 1, /NONE is not set/],
    ['$$ $constructor', 2, /constructor is not set/],
    [brace('NONE?why not'), 0, /NONE is required: why not; set it/],
    [brace('EMPTY:?'), 0, /EMPTY is required; set it/],
    [brace(`EMPTY:?${brace('SET')} here`), 0, /required: value here/],
    [brace(`NONE:-${brace('ALSO')}`), 1, /ALSO is not set/],
    ['${', 0, /names no variable/],
    [brace(''), 0, /names no variable/],
    [brace('1'), 0, /names no variable/],
    [brace('SET!x'), 0, /names no variable/],
    [brace(' SET '), 0, /names no variable/],
    ['${SET', 0, /names no variable/],
    ['${SET:-x', 0, /never closed/],
    [brace(`SET:-${'${'}`), 1, /names no variable/],
  ];
  for (const [text, dollar, message] of bad) {
    it(`${JSON.stringify(text)} is an error at its dollar sign ${dollar}`, () => {
      const [first] = run(text).errors;
      assert.equal(first?.dollar, dollar);
      assert.match(first?.message ?? '', message);
    });
  }

  it('reports every variable that is missing', () => {
    assert.deepEqual(
      run('$A $SET $B').errors.map((error) => error.dollar),
      [0, 2],
    );
  });

  it('does not ask for variables of a default that is not used', () => {
    assert.deepEqual(run(brace(`SET:-${brace('NONE')}`)), { text: 'value', errors: [] });
  });

  it('leaves a text without a dollar sign as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('$')),
        (text) => {
          assert.deepEqual(run(text), { text, errors: [] });
        },
      ),
    );
  });

  it('gives back any text whose dollar signs are doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.deepEqual(run(text.replaceAll('$', '$$$$')), { text, errors: [] });
      }),
    );
  });

  it('ends on any text, however deep its braces', () => {
    const pieces = fc.array(fc.constantFrom('$', '{', '}', '${', 'A', ':-', '${A:-', '$$', '?', '+'), { maxLength: 300 });
    fc.assert(fc.property(pieces, (parts) => typeof run(parts.join('')).text === 'string'));
    assert.match(run('${A:-'.repeat(100_000)).errors[0]?.message ?? '', /nested more than/);
  });
});
