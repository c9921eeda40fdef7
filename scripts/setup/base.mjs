import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { aptInstall, whyNoInstall } from './apt.mjs';
import { which } from './command.mjs';
import { BASE } from './image-table.mjs';
import { SetupError } from './setup-error.mjs';

const PULL_MS = 180_000;
const MAKE_MS = 15 * 60_000;

/** Sees that the base image is there: present, else pulled, else made from Debian's packages. Rejects with a SetupError. */
export function ensureBase(engine, registries, progress) {
  return progress.step('base', async (note) => {
    if (await engine.image(BASE)) return `${BASE} is there`;
    note(`pulling ${BASE}`, true);
    const reason = await registries.pull(engine, BASE, { totalMs: PULL_MS, onStatus: (status) => note(`pulling ${BASE}: ${status}`) });
    if (!reason) return `${BASE} was pulled`;
    if (!which('mmdebstrap')) {
      const why = whyNoInstall();
      if (why)
        throw new SetupError(`${BASE} cannot be pulled (${reason}) nor made, because ${why}: load it into the engine and run again.`);
      await aptInstall(['mmdebstrap', 'debian-archive-keyring'], note);
    }
    note(`making ${BASE} with mmdebstrap, as it cannot be pulled (${reason})`, true);
    await make(engine, (line) => note(`mmdebstrap: ${line}`));
    return `${BASE} was made with mmdebstrap (${reason})`;
  });
}

async function make(engine, onLine) {
  const child = spawn(which('mmdebstrap'), ['--variant=essential', '--include=apt,ca-certificates', 'trixie', '-'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    tail.push(line);
    if (tail.length > 12) tail.shift();
    onLine(line);
  });
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? undefined : `code ${code}`));
  });
  const imported = engine.importImage(BASE, gated(child.stdout, ended), { timeoutMs: MAKE_MS }).then(
    () => undefined,
    (error) => error,
  );
  const failure = await imported;
  if (failure) child.kill();
  const exit = await ended;
  if (exit) throw new SetupError(`mmdebstrap could not make ${BASE} (${exit}): see its last lines above.`, tail);
  if (failure) throw new SetupError(`the engine did not import ${BASE}: ${failure.message}.`);
}

/** The tar, ended only when its maker ended well: half a root file system must never become an image. */
async function* gated(tar, ended) {
  yield* tar;
  const exit = await ended;
  if (exit) throw new Error(`mmdebstrap: ${exit}`);
}
