import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { root } from '../setup/root.mjs';
import { SetupError } from '../setup/setup-error.mjs';

/** In the order in which they run, those of one lane side by side with those of the other: see lanesOf. */
export const STAGES = ['types', 'lint', 'openapi', 'unit', 'contract', 'python', 'integration', 'agent', 'e2e'];

/**
 * The lanes that run at once: what mostly computes, or uses the engine under names of its own; and beside it what mostly waits, for subjects (python) or for
 * containers of random names (integration).
 */
const LANES = [['types', 'lint', 'openapi', 'unit', 'contract'], ['python'], ['integration']];

/**
 * What to run: `[{stage, files?}]` in the stages' order. Without arguments all; an argument is a stage's name or the path of a test file
 * or folder. A SetupError names an argument that is neither.
 */
export function choose(args, directory = root) {
  if (args.length === 0) return STAGES.map((stage) => ({ stage }));
  const chosen = new Map();
  for (const arg of args) {
    if (STAGES.includes(arg)) {
      chosen.set(arg, undefined);
      continue;
    }
    const path = relative(directory, resolve(directory, arg));
    const stage = stageOf(path);
    if (!stage || !existsSync(join(directory, path))) {
      throw new SetupError(`"${arg}" is neither a stage (${STAGES.join(', ')}) nor a test file or folder of this repository.`);
    }
    if (chosen.has(stage) && !chosen.get(stage)) continue;
    chosen.set(stage, [...(chosen.get(stage) ?? []), ...testFiles(path, directory)]);
  }
  return STAGES.filter((stage) => chosen.has(stage)).map((stage) => (chosen.get(stage) ? { stage, files: chosen.get(stage) } : { stage }));
}

/**
 * What runs side by side: groups that run one after the other, each of lanes that run at once, each of stages in turn. What is measured or tightly timed
 * (agent, e2e) is alone.
 */
export function lanesOf(chosen) {
  const lanes = LANES.map((lane) => chosen.filter(({ stage }) => lane.includes(stage))).filter((lane) => lane.length > 0);
  const alone = chosen.filter((one) => !lanes.flat().includes(one));
  return [lanes, ...alone.map((one) => [[one]])].filter((group) => group.length > 0);
}

/** The test files under a folder, or the file itself, as paths from the root; empty when there is no such folder. */
export function testFiles(path, directory = root) {
  const full = join(directory, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full, { recursive: true })
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .map((file) => join(path, file));
}

/** Files in groups by the first word of their names, in the order in which these come. */
export function byNoun(files) {
  const groups = new Map();
  for (const file of files) {
    const noun = basename(file).split(/[-.]/)[0];
    groups.set(noun, [...(groups.get(noun) ?? []), file]);
  }
  return [...groups.values()];
}

function stageOf(path) {
  const [top, second] = path.split('/');
  if (top === 'test' && STAGES.includes(second)) return second;
  return top === 'clients' && second === 'python' ? 'python' : undefined;
}
