import { spawn } from 'node:child_process';
import { requireNode } from './setup/node-version.mjs';

// Everything else is loaded after this check, so that an old Node meets a sentence and not a syntax error.
requireNode();
const { ensureBase } = await import('./setup/base.mjs');
const { ensureDist } = await import('./setup/dist.mjs');
const { ensureEngine } = await import('./setup/engine.mjs');
const { IMAGES } = await import('./setup/image-table.mjs');
const { ensureImages } = await import('./setup/images.mjs');
const { ensureModules } = await import('./setup/modules.mjs');
const { Progress } = await import('./setup/progress.mjs');
const { Registries } = await import('./setup/registry.mjs');
const { root } = await import('./setup/root.mjs');
const { report } = await import('./setup/setup-error.mjs');
const { testEnvironment } = await import('./test/environment.mjs');

/** `npm run bench`: sees to all that the benchmark needs, as `npm test` does, and runs it; ends with its exit code. */
async function bench(args) {
  try {
    const progress = new Progress();
    await ensureModules(progress);
    const engine = await ensureEngine(progress);
    await ensureBase(engine, new Registries(), progress);
    await ensureDist(progress);
    const failures = await ensureImages(
      engine,
      IMAGES.filter((image) => !image.service),
      progress,
    );
    for (const { error } of failures) report(error);
    process.exitCode = failures.length > 0 ? 1 : await run(args);
  } catch (error) {
    report(error);
    process.exitCode = 1;
  }
}

/** The benchmark cleans up by itself when it is told to stop, however often it is told: so every signal is passed on, and its end awaited. */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], {
      cwd: root,
      env: testEnvironment(process.env),
      stdio: 'inherit',
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

await bench(process.argv.slice(2));
