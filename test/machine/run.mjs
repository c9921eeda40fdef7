import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireNode } from '../../scripts/setup/node-version.mjs';

// Everything else is loaded after this check, so that an old Node meets a sentence and not a syntax error.
requireNode();
const { ensureBase } = await import('../../scripts/setup/base.mjs');
const { run } = await import('../../scripts/setup/command.mjs');
const { endWithNpm } = await import('../../scripts/setup/end-with-npm.mjs');
const { ensureEngine } = await import('../../scripts/setup/engine.mjs');
const { IMAGES } = await import('../../scripts/setup/image-table.mjs');
const { ensureImages } = await import('../../scripts/setup/images.mjs');
const { ensureModules } = await import('../../scripts/setup/modules.mjs');
const { elapsed, Progress } = await import('../../scripts/setup/progress.mjs');
const { Registries } = await import('../../scripts/setup/registry.mjs');
const { root } = await import('../../scripts/setup/root.mjs');
const { report, SetupError } = await import('../../scripts/setup/setup-error.mjs');
const { runGroup } = await import('../../scripts/test/group.mjs');
const { ensureNeed } = await import('../../scripts/test/needs.mjs');
const { Console } = await import('./console.mjs');
const { resultPage } = await import('./result.mjs');

const TESTS = 'subjectd/toolbox-test:1';
const MACHINE = { tag: 'subjectd/machine:1', base: TESTS, context: 'test/machine' };
const DEADLINE_MS = 20 * 60_000;

/**
 * `npm run test:machine`: boots the machine in a container that has no rights at all, shows and reads its console, writes RESULT.md. Exit code 1 when anything failed.
 * `--image NAME` takes an image that is there instead of building it; `--only PATTERN` runs only such tests and leaves RESULT.md as it is.
 */
async function testMachine(args) {
  endWithNpm();
  try {
    const image = option(args, '--image') ?? MACHINE.tag;
    const only = option(args, '--only');
    const docker = await prepare(image);
    const startedAt = performance.now();
    const machine = new Console();
    const { timedOut } = await boot(docker, image, only, machine);
    const tookMs = performance.now() - startedAt;
    const { tail } = await run(docker, ['run', '--rm', '--network=none', '--entrypoint=qemu-system-x86_64', image, '--version'], {
      timeoutMs: 60_000,
    });
    const qemu = /version (\S+)/.exec(tail.join(' '))?.[1] ?? 'of unknown version';
    if (!only)
      writeFileSync(
        join(root, 'test/machine/RESULT.md'),
        resultPage(machine, { date: new Date().toISOString().slice(0, 10), tookMs, qemu: `QEMU ${qemu}` }),
      );
    const failures = [...(timedOut ? ['the machine did not end in time'] : []), ...machine.failures()];
    for (const failure of failures) console.log(`failed: ${failure}`);
    console.log(`${failures.length === 0 ? 'passed' : 'failed'} on Linux ${machine.kernel} in ${elapsed(tookMs)}`);
    process.exitCode = failures.length > 0 ? 1 : 0;
  } catch (error) {
    report(error);
    process.exitCode = 1;
  }
}

/** Sees to the engine and, unless another image is named, the machine's; answers the path of `docker`. */
async function prepare(image) {
  const progress = new Progress();
  await ensureModules(progress);
  const engine = await ensureEngine(progress);
  if (image === MACHINE.tag) {
    await ensureBase(engine, new Registries(), progress);
    const [failure] = await ensureImages(engine, [...IMAGES.filter(({ tag }) => tag === TESTS), MACHINE], progress);
    if (failure) throw failure.error;
  }
  const { path, why } = await ensureNeed('docker', progress);
  if (!path) throw new SetupError(why);
  return path;
}

function boot(docker, image, only, machine) {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => stop.abort(new SetupError(`the run was stopped by ${name}.`)));
  const words = only ? [`machine_run=${only}`] : [];
  return runGroup(
    docker,
    ['run', '--rm', '--init', '--network=none', '--cap-drop=ALL', '--name', `subjectd-machine-${process.pid}`, image, ...words],
    {
      timeoutMs: DEADLINE_MS,
      signal: stop.signal,
      onLine: (line) => {
        machine.take(line);
        if (/^\s*--- |@@|^\s+\w+\.go:|panic/.test(line)) console.log(`  ${line.trimEnd()}`);
      },
    },
  );
}

function option(args, name) {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

await testMachine(process.argv.slice(2));
