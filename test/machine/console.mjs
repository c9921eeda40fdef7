/**
 * Reads what the machine says on its serial console, line by line: `{kernel, tools, engine, missing, suites: [{name, code, tests: [{name, verdict, took, words}]}], over}`.
 * A suite whose end was not seen has the code `undefined`; `over` is true when the machine came to its end.
 */
export class Console {
  kernel = undefined;
  tools = undefined;
  engine = undefined;
  missing = [];
  suites = [];
  over = false;
  #words = new Map();
  #current = undefined;

  take(raw) {
    const line = raw.replaceAll('\r', '');
    const mark = /@@ (kernel|tools|engine|no module|begin|end|over) ?(.*)$/.exec(line);
    if (mark) return this.#mark(mark[1], mark[2]);
    const run = /^=== (?:RUN|CONT|NAME) +(\S+)/.exec(line);
    if (run) this.#current = run[1];
    const verdict = /^\s*--- (PASS|FAIL|SKIP): (\S+) \(([\d.]+)s\)/.exec(line);
    if (verdict) {
      const [, result, name, took] = verdict;
      this.suites.at(-1)?.tests.push({ name, verdict: result, took: Number(took), words: this.#words.get(name) ?? [] });
      return undefined;
    }
    const said = /^\s+\w+\.go:\d+: (.*)$/.exec(line);
    if (said && this.#current) this.#words.set(this.#current, [...(this.#words.get(this.#current) ?? []), said[1]]);
    return undefined;
  }

  #mark(kind, rest) {
    const suite = this.suites.at(-1);
    if (kind === 'kernel') this.kernel = rest;
    else if (kind === 'tools') this.tools = rest;
    else if (kind === 'engine') this.engine = rest;
    else if (kind === 'no module') this.missing.push(rest);
    else if (kind === 'over') this.over = true;
    else if (kind === 'begin') {
      this.suites.push({ name: rest, code: undefined, tests: [] });
      this.#words.clear();
    } else if (suite) suite.code = Number(rest.slice(rest.lastIndexOf(' ') + 1));
  }

  /** What is wrong with the run, as sentences; none when everything that should have run has passed. */
  failures() {
    const wrong = this.over ? [] : ['the machine did not come to its end'];
    if (this.suites.length === 0) wrong.push('no test ran');
    for (const { name, code, tests } of this.suites) {
      for (const test of tests.filter((one) => one.verdict === 'FAIL'))
        wrong.push(`${name}: ${test.name}: ${test.words.at(-1) ?? 'no words'}`);
      if (code !== 0) wrong.push(`${name}: ${code === undefined ? 'did not end' : `ended with code ${code}`}`);
      if (!tests.some((one) => one.verdict === 'PASS')) wrong.push(`${name}: no test passed`);
    }
    // A machine without netem would skip all of it and look well.
    const netem = this.suites.flatMap(({ tests }) => tests).filter(({ name }) => /Netem/.test(name));
    if (!netem.some(({ verdict }) => verdict === 'PASS') || netem.some(({ verdict }) => verdict === 'SKIP'))
      wrong.push('the tests of netem did not run');
    return wrong;
  }
}
