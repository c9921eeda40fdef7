import { PULLED } from './image-table.mjs';

const PULL_MS = 60 * 60_000;

/**
 * Pulls the subjects' images that are not built here and not there yet, while the service already runs: they are large, and it can serve
 * the other subjects without them. Says what became of it, and ends when `signal` aborts.
 */
export async function pullSubjectImages(engine, registries, progress, signal, env = process.env) {
  const missing = new Map();
  for (const { setting, name: standard, subject } of PULLED) {
    const name = env[setting] || standard;
    const reason = await pull(engine, registries, name, signal);
    if (signal.aborted) return;
    if (!reason) continue;
    const { names = [] } = missing.get(subject) ?? {};
    missing.set(subject, { names: [...names, `${name} (another one: ${setting})`], reason });
  }
  for (const [subject, { names, reason }] of missing) {
    progress.say(`${subject}: not available, as its images cannot be pulled: ${names.join(', ')}; ${reason}`);
  }
}

async function pull(engine, registries, name, signal) {
  try {
    if (await engine.image(name)) return undefined;
    return await registries.pull(engine, name, { totalMs: PULL_MS, signal });
  } catch (error) {
    return error.message;
  }
}
