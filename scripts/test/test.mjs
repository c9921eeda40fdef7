import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { endWithNpm } from '../setup/end-with-npm.mjs';
import { ensureModules } from '../setup/modules.mjs';
import { elapsed, Progress } from '../setup/progress.mjs';
import { root } from '../setup/root.mjs';
import { report, SetupError } from '../setup/setup-error.mjs';
import { runAgentTests } from './agent-tests.mjs';
import { byNoun, choose, lanesOf, testFiles } from './arguments.mjs';
import { testEnvironment } from './environment.mjs';
import { runGroup } from './group.mjs';
import { runTestFile } from './node-tests.mjs';
import { runPythonTests } from './python-tests.mjs';
import { ensureSystem } from './system.mjs';
import { Tally } from './tally.mjs';

const SHORT_MS = 10 * 60_000;
const FILE_MS = 25 * 60_000;

/** How many files of a stage run at once, where it is not one: these wait for containers most of their time. */
const AT_ONCE = { integration: 2 };

/** What a stage, or one of its files, cannot run without on the machine. A stage that is not here needs nothing but the modules. */
const NEEDS = {
  agent: ['engine', 'docker'],
  contract: ['engine'],
  integration: ['engine', 'docker'],
  e2e: ['engine', 'docker'],
  python: ['engine', 'python'],
  'test/e2e/ui.test.ts': ['chromium'],
};

/** `npm test`: sees to all that the chosen stages need, runs them, and prints `N passed, N failed` last; exit code 1 when any failed. */
export async function test(args) {
  endWithNpm();
  const tally = new Tally();
  try {
    await runStages(choose(args), tally);
  } catch (error) {
    report(error);
    tally.check('npm test', false, error.message);
  }
  for (const line of tally.summary()) console.log(line);
  process.exitCode = tally.failures.length > 0 ? 1 : 0;
}

async function runStages(chosen, tally) {
  const progress = new Progress();
  await ensureModules(progress);
  const needed = chosen.some(({ stage }) => NEEDS[stage]);
  const { programs, missing } = needed ? await ensureSystem(progress, tally) : { programs: {}, missing: {} };
  const context = { tally, env: testEnvironment(process.env, programs), signal: stopSignal(), programs, missing };
  for (const lanes of lanesOf(chosen)) await sideBySide(lanes.map((lane) => () => runLane(lane, context)));
}

async function runLane(lane, context) {
  for (const { stage, files } of lane) {
    if (!canRun(stage, context)) continue;
    const startedAt = performance.now();
    console.log(`\n== ${stage}`);
    await runStage(stage, files, context);
    console.log(`== ${stage} took ${elapsed(performance.now() - startedAt)}`);
  }
}

/** Rejects as the first of them that did, once all have ended: what they started must be gone before the run is. */
async function sideBySide(works) {
  const ended = await Promise.allSettled(works.map((work) => work()));
  const failed = ended.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}

/** True when the machine has all that a stage or file needs; else it is named as not run, with the reason. */
function canRun(name, { tally, missing }) {
  const lacking = NEEDS[name]?.find((need) => missing[need]);
  if (lacking) tally.notRun.push({ name, reason: missing[lacking] });
  return !lacking;
}

/** Aborts at the first SIGINT or SIGTERM, so that what runs can be ended with all it started. */
function stopSignal() {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => stop.abort(new SetupError(`the run was stopped by ${name}.`)));
  return stop.signal;
}

async function runStage(stage, files, context) {
  const { tally, programs } = context;
  switch (stage) {
    case 'types':
    case 'lint':
      return tool(stage, ['npm', 'run', '--silent', stage], context);
    case 'openapi':
      if (!existsSync(join(root, 'openapi/openapi.json'))) return tally.check(stage, false, 'openapi/openapi.json is missing');
      return tool(stage, [join(root, 'node_modules/.bin/redocly'), 'lint', 'openapi/openapi.json'], context);
    case 'unit':
      return each(files ?? ['test/unit/all.ts'], SHORT_MS, context);
    case 'agent':
      return runAgentTests(programs.docker, tally, { ...context, timeoutMs: SHORT_MS });
    case 'python':
      return runPythonTests(programs.python, tally, { ...context, timeoutMs: FILE_MS });
    default: {
      const found = files ?? testFiles(`test/${stage}`);
      if (found.length === 0) tally.check(stage, false, `test/${stage} has no test in it`);
      return each(found, FILE_MS, context, AT_ONCE[stage]);
    }
  }
}

/** One file after the other; where several run at once, those of one noun (`engine-…`) still one after the other, as they share names and subnets. */
async function each(files, timeoutMs, context, atOnce = 1) {
  const { tally, env, signal } = context;
  const waiting = atOnce === 1 ? [files] : byNoun(files);
  const worker = async () => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      for (const file of group) {
        if (!canRun(file, context)) continue;
        console.log(`-- ${file}`);
        await runTestFile(file, tally, { env, signal, timeoutMs });
      }
    }
  };
  await sideBySide(Array.from({ length: atOnce }, () => worker));
}

/** Runs a checking tool with its output shown; the tool counts as one test. */
async function tool(name, [program, ...args], { tally, env, signal }) {
  const quiet = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const { code, signal: killedBy, timedOut } = await runGroup(program, args, { env: { ...env, ...quiet }, signal, timeoutMs: SHORT_MS });
  tally.check(name, code === 0, timedOut ? 'did not end in time' : `ended with ${killedBy ?? `code ${code}`}: see its output above`);
}
