import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AlternativeFigures } from '../../bench/measure/alternatives.ts';
import type { DelayFigures } from '../../bench/measure/delay.ts';
import type { TypeFigures } from '../../bench/measure/injections.ts';
import { root } from '../../bench/names.ts';
import { isWholeStudy, parseOptions } from '../../bench/options.ts';
import { alternativesMarkdown } from '../../bench/report/alternatives.ts';
import { chaosTypesIn, chaosTypesTable, withChaosTypes, witnesses } from '../../bench/report/chaos_types.ts';
import { delayMarkdown } from '../../bench/report/delay.ts';
import { faultsMarkdown } from '../../bench/report/faults.ts';
import { truthMarkdown } from '../../bench/report/truth.ts';
import { summarize } from '../../bench/stats.ts';
import type { Study } from '../../bench/study.ts';
import { truthPlan } from '../../bench/truth/plan.ts';
import { counted, type TruthFigures, type TruthOutcome } from '../../bench/truth/truth.ts';
import { chaosTypesOf } from '../../src/faults/registry.ts';
import { adapter as ratelimiter } from '../../subjects/ratelimiter/adapter.ts';

const results = join(root, 'bench/results');
const known = chaosTypesOf(ratelimiter).map(({ name }) => name);

function study<T>(figures: T): Study<T> {
  return {
    made_at: '2026-01-02T03:04:05.000Z',
    whole: true,
    machine: {
      ...{ cores: 2, processor: 'new', memory_bytes: 8 * 1024 ** 3, kernel: '6.1', operating_system: 'Debian 12' },
      ...{ engine: '20.10', engine_api: '1.41', cgroup_version: '1', compose: null, node: '20.20' },
    },
    load_per_core: { start: 0.1, end: 0.4 },
    options: { injections: 10, runs: 210 },
    figures,
  };
}

function kept<T>(name: string): { study: Study<T>; text: string } | null {
  const file = join(results, `${name}.json`);
  if (!existsSync(file)) return null;
  return { study: JSON.parse(readFileSync(file, 'utf8')) as Study<T>, text: readFileSync(join(results, `${name}.md`), 'utf8') };
}

describe('the results that are kept', () => {
  it('the README’s table of chaos types is what the results give', () => {
    const faults = kept<TypeFigures[]>('faults');
    assert.ok(faults !== null, 'bench/results/faults.json is missing: run `npm run bench -- --only faults`');
    assert.equal(chaosTypesIn(readFileSync(join(root, 'README.md'), 'utf8')), chaosTypesTable(faults.study));
    assert.deepEqual(
      [...new Set(faults.study.figures.map(({ chaos_type }) => chaos_type))].sort(),
      [...known].sort(),
      'measured and known chaos types are the same',
    );
    assert.ok(faults.study.whole);
  });

  it('each text is what its figures give', () => {
    const pairs = [
      [kept<TypeFigures[]>('faults'), faultsMarkdown],
      [kept<DelayFigures[]>('delay'), delayMarkdown],
      [kept<AlternativeFigures>('alternatives'), alternativesMarkdown],
      [kept<TruthFigures>('truth'), truthMarkdown],
    ] as const;
    for (const [found, markdown] of pairs) {
      assert.ok(found !== null, 'results are missing: run `npm run bench`');
      assert.equal(found.text, (markdown as (study: Study<unknown>) => string)(found.study));
    }
  });

  it('the truth table is of more than 200 runs, counted right, with no false verdict', () => {
    const truth = kept<TruthFigures>('truth');
    assert.ok(truth !== null);
    const { seed, runs, false_confirmed, false_clean } = truth.study.figures;
    assert.ok(runs.length > 200);
    assert.deepEqual(truth.study.figures, counted(seed, runs));
    assert.deepEqual({ false_confirmed, false_clean }, { false_confirmed: 0, false_clean: 0 });
    assert.deepEqual(
      runs.map(({ chaos_type, params, node, done, undone }) => ({ chaos_type, params, node, done, undone })),
      truthPlan(seed, runs.length),
      'the runs are those of the seed',
    );
  });
});

describe('the table of chaos types', () => {
  it('says of every chaos type what its witness goes by', () => {
    assert.deepEqual(Object.keys(witnesses).sort(), [...known].sort());
  });

  it('shows a chaos type where it can be had, and says why when it cannot be had anywhere', () => {
    const type = (subject: string, unavailable: string | null): TypeFigures => ({
      ...{
        subject,
        chaos_type: 'latency',
        summary: 'Delays.',
        unavailable,
        params: {},
        mechanism: unavailable === null ? 'nfqueue' : null,
      },
      ...{ rounds: 1, guarded: 1, errors: [], goal_ms: 400, samples: [] },
      verdicts: { confirmed: 1, not_observed: 0, inconclusive: 0, error: 0 },
      heals: { clean: 1, dirty: 0, unknown: 0, error: 0 },
      ...{ witnessed: unavailable === null ? summarize([300, 500]) : null, observed: null, healed: summarize([90]), undone: null },
      answered: unavailable === null ? summarize([350]) : null,
    });
    const there = chaosTypesTable(study([type('trio', 'not_in_kernel: no netem'), type('etcd', null)]));
    assert.match(
      there,
      /\| `latency` \| Delays\. \| nfqueue \| .* \| etcd \| 300 ms \(500 ms\) \| 350 ms \(350 ms\) \| 90 ms \(90 ms\) \|/,
    );
    const missing = chaosTypesTable(study([type('trio', 'not_in_kernel: no netem')]));
    assert.match(missing, /not here \(not_in_kernel\)/);
    assert.match(faultsMarkdown(study([type('trio', null)])), /400 ms, \*\*missed\*\*/);
  });

  it('takes its place between the marks and nowhere else', () => {
    const text = 'a\n<!-- chaos-types -->\nold\n<!-- /chaos-types -->\nb\n';
    const changed = withChaosTypes(text, 'new\n');
    assert.equal(changed, 'a\n<!-- chaos-types -->\nnew\n<!-- /chaos-types -->\nb\n');
    assert.equal(chaosTypesIn(changed), 'new\n');
    assert.throws(() => withChaosTypes('no marks', 'new'), /once each/);
    assert.throws(() => withChaosTypes(`${text}${text}`, 'new'), /once each/);
  });
});

const run: TruthOutcome = {
  ...{ chaos_type: 'latency', params: {}, node: 'cell0', done: 'real', undone: 'real' },
  ...{ answer: 'confirmed', healed: 'clean', left: [], healed_again: null, left_again: [], detail: null, took_ms: 1 },
};

describe('the truth table', () => {
  it('the same seed gives the same runs, another one others', () => {
    assert.deepEqual(truthPlan(7, 210), truthPlan(7, 210));
    assert.notDeepEqual(truthPlan(7, 210), truthPlan(8, 210));
  });

  it('has every chaos type real, withheld and undone, as often as the others, and heals under each sabotage', () => {
    const runs = truthPlan(1, 210);
    const counts = new Map<string, number>();
    for (const { chaos_type, done } of runs) counts.set(`${chaos_type} ${done}`, (counts.get(`${chaos_type} ${done}`) ?? 0) + 1);
    const expected = known.filter((name) => name !== 'none' && !(ratelimiter.chaosTypes ?? []).some((own) => own.name === name));
    assert.deepEqual([...new Set(runs.map(({ chaos_type }) => chaos_type))].sort(), expected.sort());
    assert.equal(counts.size, expected.length * 3 - 1);
    assert.ok(Math.max(...counts.values()) - Math.min(...counts.values()) <= 1);
    assert.deepEqual([...new Set(runs.map(({ undone }) => undone))].sort(), ['failing', 'put_back', 'real', 'withheld']);
  });

  it('counts what was said against what was done', () => {
    const figures = counted(1, [
      run,
      { ...run, answer: 'inconclusive' },
      { ...run, answer: 'error', healed: null },
      { ...run, done: 'placebo', answer: 'confirmed' },
      { ...run, done: 'sabotaged', answer: 'not_observed' },
      { ...run, undone: 'put_back', healed: 'dirty', healed_again: 'clean' },
      { ...run, undone: 'failing', healed: 'unknown', healed_again: 'dirty' },
      { ...run, undone: 'withheld', healed: 'clean' },
      { ...run, left: ['cell0: a table'] },
    ]);
    const { false_confirmed, false_clean, misses, heal_misses, effects, heals } = figures;
    assert.deepEqual(
      { false_confirmed, false_clean, misses, heal_misses },
      { false_confirmed: 1, false_clean: 2, misses: 2, heal_misses: 1 },
    );
    assert.equal(effects.placebo.confirmed, 1);
    assert.deepEqual([heals.put_back.dirty, heals.failing.unknown, heals.withheld.clean, heals.real.clean], [1, 1, 1, 6]);
    assert.match(truthMarkdown(study(figures)), /\*\*1 false `confirmed`, 2 false `clean`\*\*/);
  });
});

describe('what else is studied', () => {
  it('a study is whole by its own rounds alone', () => {
    assert.ok(isWholeStudy('faults', parseOptions(['--only', 'faults'])));
    assert.equal(isWholeStudy('faults', parseOptions(['--injections', '9'])), false);
    assert.equal(isWholeStudy('truth', parseOptions(['--runs', '209'])), false);
    assert.ok(isWholeStudy('truth', parseOptions(['--injections', '1'])));
    assert.equal(parseOptions(['--seed', '12']).seed, 12);
    assert.throws(() => parseOptions(['--seed', '-1']), /--seed/);
  });

  it('a missed delay and an alternative that fails are said', () => {
    const delay: DelayFigures = {
      ...{ asked: '5 ms', min_ms: 5, max_ms: 5, rate: 100, flows: 1, load: 'idle', mechanism: 'nfqueue', verdict: 'confirmed' },
      ...{ sent: 200, received: 199, before_p50: 0.1, p5: 5, p50: 8, p95: 9, p99: 9, mean: 8, off_ms: 3, within_percent: 10 },
      ...{ goal_ms: 2, met: false },
    };
    assert.match(delayMarkdown(study([delay])), /missed in 1 of 1 cases: 5 ms at 100\/s, idle/);
    const line = { what: 'a', proves: 'b', times: summarize([10]) };
    const figures: AlternativeFigures = {
      lines: [{ title: 'delay', ours: line, theirs: { ...line, times: null, failure: 'Error: a | b' }, ratio: null }],
      delays: [{ by: 'subjectd', asked_ms: 50, direct_p50: 0.1, added: summarize([50]) }],
      toxiproxy: { version: 'v1', problem: 'no Go' },
    };
    assert.match(alternativesMarkdown(study(figures)), /fails: Error: a \\\| b \| – \| – \|/);
    assert.match(alternativesMarkdown(study(figures)), /could not be had: no Go/);
  });
});
