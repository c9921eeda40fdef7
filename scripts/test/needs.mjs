import { aptInstall, whyNoInstall } from '../setup/apt.mjs';
import { run, which } from '../setup/command.mjs';

const NEEDS = {
  chromium: { programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'], packages: ['chromium'] },
  // A separate package since Debian 13; part of docker.io, the engine's package, before.
  docker: { programs: ['docker'], packages: ['docker-cli'] },
  python: { programs: ['python3'], packages: ['python3'] },
};

/**
 * Sees that a program that the tests need is there, installed with apt where that is possible. Answers `{path}`, or `{why}` it cannot be had.
 */
export async function ensureNeed(name, progress) {
  const { programs, packages } = NEEDS[name];
  let result;
  await progress.step(name, async (note) => {
    let path = await firstWorking(programs);
    const found = path !== undefined;
    if (!found) {
      const why = whyNoInstall() ?? (await reasonOf(aptInstall(packages, note)));
      if (why) {
        result = { why: `there is no ${name} and it cannot be installed: ${why}` };
        return `not available (${why})`;
      }
      path = await firstWorking(programs);
      if (!path) {
        result = { why: `the package ${packages[0]} brought no working ${name}` };
        return 'not available';
      }
    }
    result = { path };
    return `${path} ${found ? 'is there' : 'was installed'}`;
  });
  return result;
}

/** A program that is only a stub for a package of another kind is on PATH but cannot say its version. */
async function firstWorking(programs) {
  for (const path of programs.map((program) => which(program)).filter(Boolean)) {
    if ((await run(path, ['--version'], { timeoutMs: 30_000 })).code === 0) return path;
  }
  return undefined;
}

async function reasonOf(work) {
  try {
    await work;
    return undefined;
  } catch (error) {
    return [error.message, ...(error.details ?? []).slice(-1)].join(' ');
  }
}
