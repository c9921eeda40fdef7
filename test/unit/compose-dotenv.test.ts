import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseEnvFile } from '../../src/compose/dotenv.ts';
import { brace } from './compose-helpers.ts';

const environment = (name: string) => ({ OUT: 'outside', A: 'outside too' })[name];
const parse = (text: string) => parseEnvFile(text, environment);

describe('an env file', () => {
  const good: [string, Record<string, string>][] = [
    ['', {}],
    ['# comment\n\n  # another\n', {}],
    ['B=1', { B: '1' }],
    ['B=1\r\nC=2\r\n', { B: '1', C: '2' }],
    ['  export B = spaced out  # note', { B: 'spaced out' }],
    ['B=a#b', { B: 'a#b' }],
    ['B=', { B: '' }],
    ['B: yaml', { B: 'yaml' }],
    ['B=\'$OUT # "x"\' # note', { B: '$OUT # "x"' }],
    ["B='it\\'s'", { B: "it's" }],
    ['B="$OUT\\t\\"q\\" \\$x"', { B: 'outside\t"q" $x' }],
    ['B="two\nlines"\nC=1', { B: 'two\nlines', C: '1' }],
    [`B=1\nC=${brace('B')}-$B-${brace('NONE:-d')}`, { B: '1', C: '1-1-d' }],
    ['A=inside\nB=$A', { A: 'inside', B: 'outside too' }],
    ['OUT\nNOT_THERE', { OUT: 'outside' }],
    ['B=1\nB=2', { B: '2' }],
    ['\uFEFFB=1', { B: '1' }],
    ['a.b-c[0]=1', { 'a.b-c[0]': '1' }],
  ];
  for (const [text, values] of good) {
    it(`${JSON.stringify(text)} gives ${JSON.stringify(values)}`, () => {
      const answer = parse(text);
      assert.deepEqual([Object.fromEntries(answer.values), answer.errors], [values, []]);
    });
  }

  const bad: [string, number, RegExp][] = [
    ['B C=1', 1, /not NAME=value/],
    ['\n\n=1', 3, /not NAME=value/],
    ['B=1\n!x=2', 2, /not NAME=value/],
    ['B="x\ny\nC=1', 1, /never closed/],
    ['A="a\nb"\nB="x" y', 3, /stands after the closing quote/],
    ['B=$NONE', 1, /NONE is not set/],
  ];
  for (const [text, line, message] of bad) {
    it(`${JSON.stringify(text)} is an error in line ${line}`, () => {
      const [first] = parse(text).errors;
      assert.equal(first?.line, line);
      assert.match(first?.message ?? '', message);
    });
  }

  it('gives back any text in single quotes', () => {
    const text = fc.string().filter((value) => !/['\\]/.test(value));
    fc.assert(fc.property(text, (value) => parse(`B='${value}'`).values.get('B') === value.replaceAll('\r\n', '\n')));
  });

  it('never throws', () => {
    const pieces = fc.array(fc.constantFrom('A', '=', '"', "'", '\\', '\n', ' ', '#', '$', '{', '}', ':', 'export '), { maxLength: 40 });
    fc.assert(fc.property(pieces, (parts) => parse(parts.join('')).errors.length >= 0));
  });
});
