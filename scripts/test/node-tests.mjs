import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache } from '../setup/root.mjs';
import { runGroup } from './group.mjs';

const REPORTER = fileURLToPath(new URL('./reporter.mjs', import.meta.url));

/**
 * Runs one TypeScript test file in a process of its own, with its output shown as it comes, and adds its tests to the tally. A process that
 * does not end in time, or ends early, counts as a failure.
 */
export async function runTestFile(file, tally, { env, timeoutMs, signal }) {
  const results = join(cache, 'test', `${file.replaceAll(/[^a-z0-9]+/gi, '-')}.ndjson`);
  mkdirSync(join(cache, 'test'), { recursive: true });
  rmSync(results, { force: true });
  const reporters = [
    ['spec', 'stdout'],
    [REPORTER, results],
  ].flatMap(([name, destination]) => [`--test-reporter=${name}`, `--test-reporter-destination=${destination}`]);
  const ended = await runGroup(process.execPath, ['--import', 'tsx', ...reporters, file], { env, timeoutMs, signal });
  tally.process(file, parseRecords(results), ended);
}

/** The records of a result file, up to a line that its process did not live to finish. */
function parseRecords(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
