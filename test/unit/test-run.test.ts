import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Json, load, withFolder } from './scripts.ts';

interface Entry {
  name: string;
  reason: string;
}
interface Tally {
  passed: number;
  failures: Entry[];
  notRun: Entry[];
  check(name: string, ok: boolean, reason?: string): void;
  process(name: string, records: object[], ended: { code: number | null; signal: string | null; timedOut: boolean }): void;
  unittest(name: string, output: string, code: number): void;
  goTest(name: string, events: Json[], code: number): void;
  summary(): string[];
}
interface Chosen {
  stage: string;
  files?: string[];
}
const { byNoun, choose, lanesOf } = await load<{
  byNoun(files: string[]): string[][];
  choose(args: string[], directory?: string): Chosen[];
  lanesOf(chosen: Chosen[]): Chosen[][][];
}>('test/arguments.mjs');
const { Tally } = await load<{ Tally: new () => Tally }>('test/tally.mjs');
const { toRecord } = await load<{ toRecord(type: string, data: Json): Json | undefined }>('test/reporter.mjs');
const { testEnvironment } = await load<{ testEnvironment(env: Json, programs?: Json): Json }>('test/environment.mjs');

describe('what npm test runs', () => {
  const inTree = <T>(work: (directory: string) => T) =>
    withFolder((directory) => {
      mkdirSync(join(directory, 'test/e2e/deep'), { recursive: true });
      writeFileSync(join(directory, 'test/e2e/b.test.ts'), '');
      writeFileSync(join(directory, 'test/e2e/deep/a.test.ts'), '');
      writeFileSync(join(directory, 'test/e2e/helper.ts'), '');
      return work(directory);
    });

  it('is everything without arguments, and the named stages in their order', () => {
    assert.deepEqual(
      choose([]).map(({ stage }) => stage),
      ['types', 'lint', 'openapi', 'unit', 'contract', 'python', 'integration', 'agent', 'e2e'],
    );
    assert.deepEqual(choose(['e2e', 'types']), [{ stage: 'types' }, { stage: 'e2e' }]);
  });
  it('is a file or the test files of a folder', () => {
    inTree((directory) => {
      assert.deepEqual(choose(['test/e2e/b.test.ts'], directory), [{ stage: 'e2e', files: ['test/e2e/b.test.ts'] }]);
      assert.deepEqual(choose(['test/e2e'], directory), [{ stage: 'e2e', files: ['test/e2e/b.test.ts', 'test/e2e/deep/a.test.ts'] }]);
      assert.deepEqual(choose(['e2e', 'test/e2e/b.test.ts'], directory), [{ stage: 'e2e' }]);
    });
  });
  it('runs each chosen stage once, python and integration beside those before them, and what is tightly timed alone', () => {
    const all = choose([]);
    const stages = (lanes: Chosen[][]) => lanes.map((lane) => lane.map(({ stage }) => stage));
    assert.deepEqual(lanesOf(all).map(stages), [
      [['types', 'lint', 'openapi', 'unit', 'contract'], ['python'], ['integration']],
      [['agent']],
      [['e2e']],
    ]);
    fc.assert(
      fc.property(fc.subarray(all), (some) => {
        const groups = lanesOf(some);
        assert.deepEqual(groups.flat(2), some);
        assert(groups.flat().every((lane) => lane.length > 0));
        for (const lanes of groups.filter((group) => group.flat().some(({ stage }) => stage === 'agent' || stage === 'e2e')))
          assert.equal(lanes.flat().length, 1);
      }),
    );
  });
  it('keeps the files of one noun together', () => {
    assert.deepEqual(byNoun(['t/a-x.test.ts', 't/b.test.ts', 't/a.test.ts']), [['t/a-x.test.ts', 't/a.test.ts'], ['t/b.test.ts']]);
  });
  it('refuses a word that is neither', () => {
    inTree((directory) => {
      for (const word of ['nothing', 'test/e2e/none.test.ts', '../x', 'src'])
        assert.throws(() => choose([word], directory), /neither a stage/);
    });
  });
});

describe('the count', () => {
  const good = { code: 0, signal: null, timedOut: false };
  const end = { kind: 'end' };
  const count = (records: object[], ended: { code: number | null; signal: string | null; timedOut: boolean }) => {
    const tally = new Tally();
    tally.process('f', records, ended);
    return tally;
  };

  it('adds passes and failures, and names what was skipped with its reason', () => {
    const records = [
      { kind: 'pass', name: 'a' },
      { kind: 'fail', name: 'b', reason: 'why\nmore' },
      { kind: 'skip', name: 'c', reason: '' },
      end,
    ];
    const tally = count(records, { ...good, code: 1 });
    assert.equal(tally.passed, 1);
    const lines = tally.summary();
    assert.equal(lines.at(-1), '1 passed, 1 failed');
    assert.ok(lines.includes('  - f: b: why'));
    assert.ok(lines.indexOf('not run here:') < lines.indexOf('  - f: c: no reason given'));
  });
  it('loses no failure of a process that crashed, hung, was killed, stopped early, failed silently or tested nothing', () => {
    const pass = { kind: 'pass', name: 'a' };
    for (const [records, ended] of [
      [[pass], { ...good, code: 1 }],
      [[pass], good],
      [[pass, end], { ...good, code: 7 }],
      [[pass, end], { ...good, timedOut: true }],
      [[pass, end], { code: null, signal: 'SIGSEGV', timedOut: false }],
      [[end], good],
      [[], good],
    ] as const) {
      assert.equal(count([...records], ended).failures.length, 1, JSON.stringify([records, ended]));
    }
    assert.equal(count([pass, end], good).failures.length, 0);
  });
  it('counts tests and not suites, except a suite that fails by itself', () => {
    const suite = (error?: Json) => ({ name: 's', details: { type: 'suite', error } });
    assert.equal(toRecord('test:pass', suite()), undefined);
    assert.equal(toRecord('test:fail', suite({ failureType: 'subtestsFailed' })), undefined);
    assert.equal(toRecord('test:fail', suite({ failureType: 'hookFailed', message: 'm' }))?.kind, 'fail');
    assert.deepEqual(toRecord('test:pass', { name: 't', skip: 'no X' }), { kind: 'skip', name: 't', reason: 'no X' });
    assert.equal(toRecord('test:pass', { ...suite(), skip: true })?.kind, 'skip');
    assert.equal(toRecord('test:fail', { name: 't', todo: 'later', details: {} })?.kind, 'skip');
    assert.deepEqual(toRecord('test:fail', { name: 't', details: { error: { message: 'outer', cause: { message: 'inner' } } } }), {
      kind: 'fail',
      name: 't',
      reason: 'inner',
    });
  });
  it('reads what unittest prints', () => {
    const tally = new Tally();
    const output = `test_a (tests.test_x.A.test_a) ... ok
test_b (tests.test_x.A.test_b)
Described. ... FAIL
test_c (tests.test_x.A.test_c) ... skipped 'no service'
FAIL: test_b (tests.test_x.A.test_b)
Ran 3 tests in 0.1s
FAILED (failures=1, skipped=1)`;
    tally.unittest('py', output, 1);
    assert.equal(tally.summary().at(-1), '1 passed, 1 failed');
    assert.deepEqual(tally.notRun, [{ name: 'py: test_c', reason: 'no service' }]);
    assert.match(tally.failures[0]?.name ?? '', /test_b/);
  });
  it('counts a test that fails in several sub-tests once against the passes, and every failure', () => {
    const tally = new Tally();
    tally.unittest('py', "FAIL: test_b (x.A.test_b) (n='1')\nFAIL: test_b (x.A.test_b) (n='2')\nRan 3 tests in 1s\nFAILED (failures=2)", 1);
    assert.equal(tally.summary().at(-1), '2 passed, 2 failed');
  });
  it('reads the events of Go tests: a test within a test fails instead of its parent', () => {
    const tally = new Tally();
    const event = (Action: string, Test?: string, Output?: string): Json => ({ Action, Package: 'p', Test, Output });
    const events = [
      event('pass', 'A/one'),
      event('pass', 'A'),
      event('output', 'B/one', '    b_test.go:7: 1 instead of 2\n'),
      event('output', 'B/one', '--- FAIL: B/one (0.00s)\n'),
      event('fail', 'B/one'),
      event('fail', 'B'),
      event('output', 'C', '    c_test.go:3: no netem\n'),
      event('skip', 'C'),
      event('fail'),
    ];
    tally.goTest('go', events, 1);
    assert.equal(tally.summary().at(-1), '1 passed, 1 failed');
    assert.deepEqual(tally.failures, [{ name: 'go: p B/one', reason: 'b_test.go:7: 1 instead of 2' }]);
    assert.deepEqual(tally.notRun, [{ name: 'go: p C', reason: 'c_test.go:3: no netem' }]);
  });
  it('loses no failure of Go tests that did not compile, died, or were never begun', () => {
    const pass = { Action: 'pass', Package: 'p', Test: 'A' };
    for (const [events, code] of [
      [[], 1],
      [[], 0],
      [[pass], 2],
      [[pass, { Action: 'fail', Package: 'q' }], 1],
    ] as const) {
      const tally = new Tally();
      tally.goTest('go', [...events], code);
      assert.equal(tally.failures.length, 1, JSON.stringify(events));
    }
  });
  it('loses no failure of a unittest that crashed, found nothing, or failed silently', () => {
    for (const [output, code] of [
      ['Traceback', 1],
      ['Ran 0 tests in 0.0s\nOK', 0],
      ['Ran 0 tests in 0.0s\nNO TESTS RAN', 5],
      ['Ran 2 tests in 0.0s\nOK', 3],
    ] as const) {
      const tally = new Tally();
      tally.unittest('py', output, code);
      assert.equal(tally.failures.length, 1, output);
    }
  });
});

it('tests run beside a service in use: own names and ports, stand-ins, none of its settings', () => {
  const env = testEnvironment({ PATH: '/bin', SUBJECTD_PORT: '9', SUBJECTD_TOKEN: 'x', PD_IMAGE: 'mine' }, { chromium: '/c' });
  assert.deepEqual(env, {
    PATH: '/bin',
    SUBJECTD_PROJECT_PREFIX: 't-',
    SUBJECTD_PORT_OFFSET: '5000',
    PD_IMAGE: 'subjectd-standin/pd:test',
    TIKV_IMAGE: 'subjectd-standin/tikv:test',
    CHROMIUM: '/c',
  });
});
