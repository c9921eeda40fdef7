import { spawn } from 'node:child_process';
import { CONTEXT_LABEL, contextHash } from './context.mjs';
import { SetupError } from './setup-error.mjs';
import { stage } from './staging.mjs';

const AT_ONCE = 2;
const BUILD_MS = 30 * 60_000;
const PROXY_NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/**
 * Sees that every given image is there and was built from what its context holds now. Two are built at a time, each after its base.
 * Answers the failures as `{tag, error}`: an image that fails stops only those that grow from it.
 */
export async function ensureImages(engine, images, progress) {
  const slot = semaphore(AT_ONCE);
  const started = new Map();
  const failures = [];
  for (const image of inOrder(images)) {
    const base = started.get(image.base);
    const work = (async () => {
      // Whatever came of it: it only makes layers that this one finds.
      await started.get(image.after);
      if (base && !(await base)) {
        throw new SetupError(`${image.tag}: its base ${image.base} could not be built.`);
      }
      await slot(() => progress.step(image.tag, (note) => ensureImage(engine, image, note)));
    })();
    started.set(
      image.tag,
      work.then(
        () => true,
        (error) => {
          failures.push({ tag: image.tag, error });
          return false;
        },
      ),
    );
  }
  await Promise.all(started.values());
  return failures;
}

/** The images with each one after its base and what else it waits for; throws when they do so in a circle. */
export function inOrder(images) {
  const ordered = [];
  let left = [...images];
  while (left.length > 0) {
    const ready = left.filter((image) => !left.some((other) => other.tag === image.base || other.tag === image.after));
    if (ready.length === 0) throw new Error(`images grow from each other in a circle: ${left.map((i) => i.tag).join(', ')}`);
    ordered.push(...ready);
    left = left.filter((image) => !ready.includes(image));
  }
  return ordered;
}

/** The proxy settings that a build can use: those of `env` that do not name this host's own loopback. */
export function proxyArguments(env) {
  const local = /^(\w+:\/\/)?([^@/]*@)?(localhost|127\.|\[::1\])/i;
  return Object.fromEntries(PROXY_NAMES.filter((name) => env[name] && !local.test(env[name])).map((name) => [name, env[name]]));
}

const settingsOf = (image, env) => Object.fromEntries((image.settings ?? []).filter((name) => env[name]).map((name) => [name, env[name]]));

async function ensureImage(engine, image, note) {
  const present = await engine.image(image.tag);
  const base = await engine.image(image.base);
  if (!base) {
    if (present) return `is there (not compared with its sources, as ${image.base} is missing)`;
    throw new SetupError(`${image.tag} cannot be built: its base ${image.base} is missing.`);
  }
  const { directory, beside, inputs } = await stage(image, note);
  const target = image.target ? { target: image.target } : {};
  const hash = contextHash(directory, { ...inputs, ...target, BASE: image.base, base_id: base.id });
  if (present?.labels[CONTEXT_LABEL] === hash) return 'is there';
  note(present ? 'building anew, as its sources have changed' : 'building', true);
  const tail = [];
  const onStatus = (status) => {
    tail.push(...status.split('\n'));
    tail.splice(0, tail.length - 12);
    note(status.split('\n').at(-1));
  };
  try {
    await engine.build(image.tag, tarOf(directory, beside), {
      buildArgs: { ...proxyArguments(process.env), ...settingsOf(image, process.env), BASE: image.base },
      ...target,
      labels: { [CONTEXT_LABEL]: hash },
      timeoutMs: BUILD_MS,
      onStatus,
    });
  } catch (error) {
    throw new SetupError(`${image.tag} could not be built: ${error.message}.`, tail);
  }
  return 'was built';
}

/** What a folder holds, and the folders beside it, as a stream of tar, ended only when tar ended well. */
async function* tarOf(directory, beside) {
  const child = spawn('tar', ['-cf', '-', '-C', directory, '.', ...beside.flatMap(({ parent, name }) => ['-C', parent, name])], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  yield* child.stdout;
  const code = await ended;
  if (code !== 0) throw new Error(`tar ended with code ${code}`);
}

function semaphore(limit) {
  let free = limit;
  const waiting = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
