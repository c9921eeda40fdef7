import { ensureBase } from '../setup/base.mjs';
import { ensureDist } from '../setup/dist.mjs';
import { ensureEngine } from '../setup/engine.mjs';
import { IMAGES } from '../setup/image-table.mjs';
import { ensureImages } from '../setup/images.mjs';
import { Registries } from '../setup/registry.mjs';
import { report } from '../setup/setup-error.mjs';
import { ensureNeed } from './needs.mjs';

/**
 * Sees to the engine, every image and the programs that tests on the real system need. What fails is in the tally. Answers `{programs,
 * missing}`: the paths of the programs that are there, and why each of the others, or the engine, cannot be had here.
 */
export async function ensureSystem(progress, tally) {
  let engine;
  try {
    engine = await ensureEngine(progress);
  } catch (error) {
    report(error);
    tally.check('engine', false, error.message);
    return { programs: {}, missing: { engine: 'there is no Docker engine' } };
  }
  await attempt(tally, 'base', () => ensureBase(engine, new Registries(), progress));
  await attempt(tally, 'build', () => ensureDist(progress));
  for (const { tag, error } of await ensureImages(engine, IMAGES, progress)) {
    report(error);
    tally.check(`image ${tag}`, false, error.message);
  }
  const programs = {};
  const missing = {};
  for (const name of ['docker', 'python', 'chromium']) {
    const { path, why } = await ensureNeed(name, progress);
    if (path) programs[name] = path;
    else missing[name] = why;
  }
  return { programs, missing };
}

async function attempt(tally, name, work) {
  try {
    await work();
  } catch (error) {
    report(error);
    tally.check(name, false, error.message);
  }
}
