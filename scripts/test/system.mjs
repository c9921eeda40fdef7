import { ensureBase } from '../setup/base.mjs';
import { ensureDist } from '../setup/dist.mjs';
import { ensureEngine } from '../setup/engine.mjs';
import { IMAGES } from '../setup/image-table.mjs';
import { ensureImages } from '../setup/images.mjs';
import { Registries } from '../setup/registry.mjs';
import { report } from '../setup/setup-error.mjs';
import { ensureNeed } from './needs.mjs';

/**
 * Sees to the engine, every image and the programs that tests on the real system need. What fails is in the tally, and what this machine
 * cannot have is named there; answers `{programs, missing?}`, where `missing` says why no such test can run at all.
 */
export async function ensureSystem(progress, tally) {
  let engine;
  try {
    engine = await ensureEngine(progress);
  } catch (error) {
    report(error);
    tally.check('engine', false, error.message);
    return { programs: {}, missing: 'no Docker engine' };
  }
  await attempt(tally, 'base', () => ensureBase(engine, new Registries(), progress));
  await attempt(tally, 'build', () => ensureDist(progress));
  for (const { tag, error } of await ensureImages(engine, IMAGES, progress)) {
    report(error);
    tally.check(`image ${tag}`, false, error.message);
  }
  const programs = {};
  for (const name of ['docker', 'python', 'chromium']) {
    const { path, why } = await ensureNeed(name, progress);
    if (path) programs[name] = path;
    else tally.notRun.push({ name: `tests that need ${name}`, reason: why });
  }
  return { programs };
}

async function attempt(tally, name, work) {
  try {
    await work();
  } catch (error) {
    report(error);
    tally.check(name, false, error.message);
  }
}
