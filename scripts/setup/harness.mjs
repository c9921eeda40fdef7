import { spawn } from 'node:child_process';
import { testEnvironment } from '../test/environment.mjs';
import { ensureBase } from './base.mjs';
import { ensureDist } from './dist.mjs';
import { ensureEngine } from './engine.mjs';
import { IMAGES } from './image-table.mjs';
import { ensureImages } from './images.mjs';
import { ensureModules } from './modules.mjs';
import { Progress } from './progress.mjs';
import { Registries } from './registry.mjs';
import { root } from './root.mjs';
import { report } from './setup-error.mjs';

/** Sees to all that a TypeScript program on the real system needs, as `npm test` does, and runs it with the tests' environment; ends with its exit code. */
export async function runAfterSetup(program, args) {
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
    process.exitCode = failures.length > 0 ? 1 : await run(program, args);
  } catch (error) {
    report(error);
    process.exitCode = 1;
  }
}

/** The program cleans up by itself when it is told to stop, however often it is told: so every signal is passed on, and its end awaited. */
function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
      cwd: root,
      env: testEnvironment(process.env),
      stdio: 'inherit',
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
