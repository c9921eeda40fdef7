/**
 * The count of a test run. Whatever goes wrong ends up in `failures`, and whatever was not run in `notRun`, each with its name and reason:
 * nothing is only printed.
 */
export class Tally {
  passed = 0;
  failures = [];
  notRun = [];

  /** Adds one check that is no test file of its own, such as the type checker. */
  check(name, ok, reason) {
    if (ok) this.passed++;
    else this.failures.push({ name, reason });
  }

  /** Adds what the reporter wrote about one test process (its lines, parsed) and how that process ended. */
  process(name, records, { code, signal, timedOut }) {
    const failedBefore = this.failures.length;
    let tests = 0;
    for (const record of records) {
      if (record.kind === 'end') continue;
      tests++;
      if (record.kind === 'pass') this.passed++;
      else if (record.kind === 'fail') this.failures.push({ name: `${name}: ${record.name}`, reason: record.reason });
      else this.notRun.push({ name: `${name}: ${record.name}`, reason: record.reason });
    }
    const lost = timedOut
      ? 'did not end in time'
      : signal
        ? `was ended by ${signal}`
        : !records.some((record) => record.kind === 'end')
          ? `ended with code ${code} before its tests had ended`
          : code !== 0 && this.failures.length === failedBefore
            ? `ended with code ${code} although no test failed`
            : tests === 0
              ? 'has no test in it'
              : undefined;
    if (lost) this.failures.push({ name, reason: lost });
  }

  /** Adds what `python3 -m unittest -v` printed and its exit code. */
  unittest(name, output, code) {
    const ran = Number(/^Ran (\d+) tests?/m.exec(output)?.[1] ?? 0);
    const verdict = /^(OK|FAILED)(?: \((.*)\))?$/m.exec(output);
    const count = (key) => Number(new RegExp(`(?:^|, )${key}=(\\d+)`).exec(verdict?.[2] ?? '')?.[1] ?? 0);
    const bad = [...output.matchAll(/^(?:FAIL|ERROR|UNEXPECTED SUCCESS): (.+)$/gm)].map((match) => match[1]);
    const failed = count('failures') + count('errors') + count('unexpected successes');
    for (let i = 0; i < Math.max(failed, bad.length); i++)
      this.failures.push({ name: `${name}: ${bad[i] ?? 'a test'}`, reason: 'see its output above' });
    // One line a test; its description, where it has one, is on a line of its own before the verdict.
    for (const match of output.matchAll(/^(?:(\w+) \(.*\)(?:\n.*)?) \.\.\. skipped ['"](.*)['"]$/gm)) {
      this.notRun.push({ name: `${name}: ${match[1]}`, reason: match[2] });
    }
    // A test can fail several times, once in each of its sub-tests.
    const failedTests = Math.max(failed > 0 ? 1 : 0, new Set(bad.map((test) => test.split(' ').slice(0, 2).join(' '))).size);
    this.passed += Math.max(0, ran - failedTests - count('skipped') - count('expected failures'));
    if (!verdict) this.failures.push({ name, reason: `ended with code ${code} before its tests had ended` });
    else if (ran === 0) this.failures.push({ name, reason: 'has no test in it' });
    else if (code !== 0 && failed + bad.length === 0)
      this.failures.push({ name, reason: `ended with code ${code} although no test failed` });
  }

  /** Adds what `go test -json` printed (its lines, parsed) and its exit code. A test within a test counts only when it fails, instead of its parent, or is skipped. */
  goTest(name, events, code) {
    const failedBefore = this.failures.length;
    const said = new Map();
    const blamed = new Set();
    let tests = 0;
    for (const { Action, Package, Test, Output } of events) {
      const id = Test ? `${Package} ${Test}` : Package;
      if (Action === 'output') said.set(id, [...(said.get(id) ?? []), Output.trim()].slice(-20));
      if (!['pass', 'fail', 'skip'].includes(Action)) continue;
      if (Test) tests++;
      if (Action === 'pass' && Test && !Test.includes('/')) this.passed++;
      if (Action === 'skip' && Test) this.notRun.push({ name: `${name}: ${id}`, reason: wordOf(said.get(id)) });
      // Parents and packages fail after what fails in them; one that fails alone did not compile, or its process died.
      if (Action !== 'fail' || blamed.has(id)) continue;
      blamed.add(Package);
      if (Test?.includes('/')) blamed.add(`${Package} ${Test.slice(0, Test.lastIndexOf('/'))}`);
      this.failures.push({ name: `${name}: ${id}`, reason: wordOf(said.get(id)) });
    }
    if (tests === 0) this.failures.push({ name, reason: `ended with code ${code} before any test had ended` });
    else if (code !== 0 && this.failures.length === failedBefore)
      this.failures.push({ name, reason: `ended with code ${code} although no test failed` });
  }

  /** The last lines of a run; the very last is the count. */
  summary() {
    const lines = [];
    const list = (title, entries) => {
      if (entries.length > 0) lines.push('', title, ...entries.map(({ name, reason }) => `  - ${name}: ${oneLine(reason)}`));
    };
    list('not run here:', this.notRun);
    list('failed:', this.failures);
    return [...lines, '', `${this.passed} passed, ${this.failures.length} failed`];
  }
}

/** What a Go test said itself, without the runner's own lines. */
function wordOf(lines = []) {
  return lines.filter((line) => line && !/^(=== |--- )/.test(line)).at(-1) ?? '';
}

function oneLine(reason) {
  return (reason || 'no reason given').split('\n')[0].slice(0, 300);
}
