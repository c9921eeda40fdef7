import { ensureBase } from './base.mjs';
import { ensureDist } from './dist.mjs';
import { endWithNpm } from './end-with-npm.mjs';
import { ensureEngine } from './engine.mjs';
import { IMAGES } from './image-table.mjs';
import { ensureImages } from './images.mjs';
import { ensureModules } from './modules.mjs';
import { preflight } from './preflight.mjs';
import { Progress } from './progress.mjs';
import { pullSubjectImages } from './pulled-images.mjs';
import { Registries } from './registry.mjs';
import { runService } from './service.mjs';
import { report } from './setup-error.mjs';

/** `npm start`: sees to all that the service needs, runs it, and ends with its exit code; one sentence and code 1 when it cannot be run. */
export async function start() {
  endWithNpm();
  const progress = new Progress();
  const registries = new Registries();
  const stop = new AbortController();
  try {
    await preflight();
    await ensureModules(progress);
    const engine = await ensureEngine(progress);
    await ensureStartImages(engine, registries, progress);
    await ensureDist(progress);
    const pulling = pullSubjectImages(engine, registries, progress, stop.signal);
    process.exitCode = await runService();
    stop.abort();
    await pulling;
  } catch (error) {
    report(error);
    process.exitCode = 1;
  }
}

/** A subject whose image cannot be made is missing from the catalogue's offer; the others are served all the same. */
async function ensureStartImages(engine, registries, progress) {
  try {
    await ensureBase(engine, registries, progress);
  } catch (error) {
    report(error);
  }
  const failures = await ensureImages(
    engine,
    IMAGES.filter((image) => image.use === 'start'),
    progress,
  );
  for (const { error } of failures) report(error);
  if (failures.length > 0) progress.say(`going on without ${failures.map((failure) => failure.tag).join(', ')}`);
}
