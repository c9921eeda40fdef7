import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { alone } from '../../bench/alone.ts';
import { isWhole, parseOptions } from '../../bench/options.ts';
import { markdown } from '../../bench/report/markdown.ts';
import type { Results } from '../../bench/report/results.ts';
import { svg } from '../../bench/report/svg.ts';
import { columns, percentile, ratio, ratios, summarize } from '../../bench/stats.ts';

const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('statistics of the bench', () => {
  it('a percentile is the nearest rank', () => {
    const five = [50, 10, 40, 20, 30];
    assert.deepEqual(
      [0, 20, 50, 80, 81, 95, 100].map((percent) => percentile(five, percent)),
      [10, 10, 30, 40, 50, 50, 50],
    );
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    assert.deepEqual([percentile(hundred, 50), percentile(hundred, 95), percentile(hundred, 99)], [50, 95, 99]);
    assert.deepEqual(five, [50, 10, 40, 20, 30], 'the samples stay in their order');
  });

  it('a percentile is a sample, and that share of the samples does not exceed it', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 0, max: 100 }), (values, percent) => {
        const found = percentile(values, percent);
        assert.ok(values.includes(found));
        assert.ok(values.filter((value) => value <= found).length >= (percent / 100) * values.length);
        assert.ok(percent === 0 || values.filter((value) => value < found).length < (percent / 100) * values.length);
      }),
    );
  });

  it('a summary is in order and lies within its samples', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const { n, min, p50, p95, p99, max } = summarize(values);
        assert.equal(n, values.length);
        assert.deepEqual(
          [min, p50, p95, p99, max],
          [min, p50, p95, p99, max].toSorted((a, b) => a - b),
        );
        assert.deepEqual([min, max], [Math.min(...values), Math.max(...values)]);
      }),
    );
  });

  it('what is no series or no percentage is refused', () => {
    assert.throws(() => percentile([], 50), RangeError);
    assert.throws(() => summarize([]), RangeError);
    assert.throws(() => percentile([1, Number.NaN], 50), RangeError);
    assert.throws(() => percentile([1], 101), RangeError);
    assert.throws(() => percentile([1], Number.NaN), RangeError);
  });

  it('ratios compare the same percentile and never divide by nothing', () => {
    const slow = summarize([20, 20, 20, 90]);
    const fast = summarize([5, 5, 5, 10]);
    assert.deepEqual(ratios(slow, fast), { p50: 4, p95: 9, mean: 6 });
    assert.throws(() => ratio(1, 0), RangeError);
  });

  it('columns keep the order of the rows and of the names', () => {
    assert.deepEqual(
      Object.entries(
        columns([
          { b: 1, a: 2 },
          { b: 3, a: 4 },
        ]),
      ),
      [
        ['b', [1, 3]],
        ['a', [2, 4]],
      ],
    );
  });
});

describe('options of the bench', () => {
  it('without any it measures everything, and that is a whole run', () => {
    const options = parseOptions([]);
    assert.deepEqual(options, {
      parts: ['reset', 'kill', 'health', 'memory', 'faults', 'delay-accuracy', 'alternatives', 'truth'],
      ...{ rounds: 9, kills: 20, seconds: 20, injections: 10, runs: 210, seed: null, out: null },
    });
    assert.ok(isWhole(options));
  });

  it('a run with less is not whole', () => {
    for (const argv of [['--rounds', '4'], ['--kills=19'], ['--seconds', '5'], ['--only', 'reset']])
      assert.equal(isWhole(parseOptions(argv)), false, argv.join(' '));
    assert.ok(isWhole(parseOptions(['--rounds', '10'])));
  });

  it('parts may be given in any way and are measured in their order', () => {
    assert.deepEqual(parseOptions(['--only', 'memory,reset']).parts, ['reset', 'memory']);
    assert.deepEqual(parseOptions(['--only', 'memory', '--only', 'kill']).parts, ['kill', 'memory']);
  });

  it('what is not known is refused by name', () => {
    assert.throws(() => parseOptions(['--only', 'resets']), /resets.*reset, kill, health, memory, faults/);
    assert.throws(() => parseOptions(['--rounds', '0']), /--rounds.*"0"/);
    assert.throws(() => parseOptions(['--rounds', '2.5']), /--rounds/);
    assert.throws(() => parseOptions(['--fast']), /--fast/);
    assert.throws(() => parseOptions(['reset']), /reset/);
  });
});

describe('the place of the bench', () => {
  it('two benches never run at once, and the place is free when the first has ended', async (t) => {
    const held = await alone().catch((error: unknown) => {
      t.skip(`a bench runs on this machine now (${String(error)})`);
      return null;
    });
    if (held === null) return;
    await assert.rejects(alone(), /Another bench runs/);
    await held.release();
    await (await alone()).release();
  });
});

const summary = summarize([900, 1000, 1100]);
const whole: Results = {
  made_at: '2026-01-02T03:04:05.000Z',
  whole: true,
  machine: {
    ...{ cores: 2, processor: 'A <fast> & new one', memory_bytes: 8 * 1024 ** 3, kernel: '6.1', operating_system: 'Debian 12' },
    ...{ engine: '20.10', engine_api: '1.41', cgroup_version: '1', compose: '2.26', node: '20.20' },
  },
  load_per_core: { start: 0.1, end: 0.4 },
  options: { parts: ['reset', 'kill', 'health', 'memory'], rounds: 9, kills: 20, seconds: 20 },
  reset: [
    {
      ...{ kind: 'etcd', title: 'etcd, three nodes', nodes: 3 },
      subjectd: { total: summary, from_nothing: summary, phases: { burn: summary, prove: summary }, samples: [] },
      compose: { total: summarize([5000]), proven: summarize([6000]), down: summary, up: summary, after: summary, samples: [] },
      ...{ ratio: { p50: 5, p95: 4.5, mean: 5 }, ratio_to_proven: { p50: 6, p95: 5.5, mean: 6 } },
    },
  ],
  kill: {
    ...{ subject: 'tikv', kill: summarize([120]), witnessed: summarize([80]), observed: summary },
    ...{ heal: summary, cli_kill: summarize([240]), samples: [] },
  },
  health: {
    ...{ subject: 'tikv', rate: 500, seconds: 20, even: summarize([0.8]), even_failed: 0, even_lateness: summary },
    bursts: { p50: 1, p99: 3, max: 9, requests: 10_000, failed: 2 },
  },
  memory: { subjects: ['etcd', 'tikv'], after_resets: 80 * 1024 ** 2, at_the_end: 90 * 1024 ** 2, peak: 100 * 1024 ** 2 },
};
const nothing: Results = { ...whole, reset: null, kill: null, health: null, memory: null };

describe('report of the bench', () => {
  it('the table has every figure, and as many cells in each row as in its head', () => {
    const text = markdown(whole);
    for (const part of ['1.00 s', '5.0×', '6.0×', '120 ms', '80 ms', '2.0×', '0.80 ms', '2 failed', '90 MiB', '2 cores', '2026-01-02'])
      assert.ok(text.includes(part), part);
    for (const block of text.split('\n\n').filter((part) => part.startsWith('|')))
      assert.equal(new Set(block.split('\n').map((row) => row.split('|').length)).size, 1, block);
  });

  it('figures of a busy machine or of a part of a run say so', () => {
    assert.ok(!markdown(whole).includes('Not to be quoted'));
    for (const results of [
      { ...whole, whole: false },
      { ...whole, load_per_core: { start: 1.5, end: 1.5 } },
    ]) {
      assert.match(markdown(results), /Not to be quoted/);
      assert.match(svg(results), /Not to be quoted/);
    }
  });

  it('the picture is well-formed, has its numbers finite and its texts escaped, whatever was measured', () => {
    for (const results of [whole, nothing, { ...nothing, kill: whole.kill }, { ...whole, health: null }]) {
      const picture = svg(results);
      assert.match(picture, /^<svg [^>]*>\n/);
      assert.ok(picture.endsWith('</svg>\n'));
      for (const element of picture.split('\n').slice(1, -2))
        assert.match(element, /^<(?:rect|line)( [\w-]+="[^"<>&]*")+\/>$|^<text( [\w-]+="[^"<>&]*")+>[^<>]*<\/text>$/);
      assert.doesNotMatch(picture, /NaN|Infinity|undefined/);
      assert.ok(picture.includes('A &lt;fast&gt; &amp; new one'));
    }
  });

  it('no bar leaves the picture', () => {
    for (const [, x, wide] of svg(whole).matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g))
      assert.ok(Number(x) >= 0 && Number(x) + Number(wide) <= 920);
  });
});
