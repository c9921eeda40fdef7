import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { contextHash } from './context.mjs';
import { npmCi } from './modules.mjs';
import { cache, root } from './root.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * What an image is built from: `{directory, beside, inputs}`. The context is what `directory` holds and the folders `beside` it (each
 * `{parent, name}`), for which `inputs` stand in the context's hash. What needs work first (bundled programs, the service itself) is
 * assembled under .cache/.
 */
export async function stage(image, note) {
  const source = join(root, image.context);
  if (!existsSync(join(source, 'Dockerfile'))) throw new SetupError(`${image.context} has no Dockerfile.`);
  if (image.service) return stageService(note);
  if (image.bundle) return stageBundles(image, source, note);
  return { directory: source, beside: image.fetches ? extraCertificates(process.env) : [], inputs: {} };
}

/**
 * This machine's further CA certificates, as the file extra-ca.crt of a context. It decides whether a build can fetch, never what comes out,
 * so it is not in the context's hash.
 */
function extraCertificates(env) {
  if (!env.NODE_EXTRA_CA_CERTS) return [];
  const parent = join(cache, 'ca');
  mkdirSync(parent, { recursive: true });
  try {
    copyFileSync(env.NODE_EXTRA_CA_CERTS, join(parent, 'extra-ca.crt'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  return [{ parent, name: 'extra-ca.crt' }];
}

/** Each TypeScript program becomes one file with all its modules in it, as its bundle.json says: nothing has to be installed in the image. */
async function stageBundles(image, source, note) {
  const { entryPoints, options } = JSON.parse(readFileSync(join(source, image.bundle), 'utf8'));
  note(`bundling ${Object.values(entryPoints).join(', ')}`);
  const directory = emptyFolder(image.tag);
  copyFileSync(join(source, 'Dockerfile'), join(directory, 'Dockerfile'));
  // Loaded late, as it may have been installed a moment ago.
  const { build, stop } = await import('esbuild');
  try {
    await build({ ...options, entryPoints, absWorkingDir: source, outdir: directory, logLevel: 'silent' });
  } catch (error) {
    throw new SetupError(`${image.tag} cannot be built: its programs could not be bundled.`, error.message.split('\n').slice(0, 12));
  } finally {
    await stop();
  }
  return { directory, beside: [], inputs: {} };
}

/** The service as it runs, production modules included, so that its image needs no package registry while it is built. */
async function stageService(note) {
  if (!existsSync(join(root, 'dist/src/main.js'))) throw new SetupError('dist/src/main.js is missing: npm run build comes first.');
  const modules = await productionModules(note);
  const directory = emptyFolder('service');
  for (const file of ['Dockerfile', 'package.json']) copyFileSync(join(root, file), join(directory, file));
  for (const folder of ['dist', 'subjects', 'openapi']) cpSync(join(root, folder), join(directory, folder), { recursive: true });
  rmSync(join(directory, 'dist/.sources'), { force: true });
  return { directory, beside: [{ parent: modules.parent, name: 'node_modules' }], inputs: { modules: modules.hash } };
}

async function productionModules(note) {
  const hash = contextHash(join(root, 'docker/node'), {
    lock: readFileSync(join(root, 'package-lock.json')),
    package: readFileSync(join(root, 'package.json')),
  });
  const parent = join(cache, 'production', hash.slice(0, 16));
  if (existsSync(parent)) return { parent, hash };
  note('npm ci --omit=dev for the service image', true);
  const fresh = `${parent}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(root, file), join(fresh, file));
    const { code, tail } = await npmCi(fresh, ['--omit=dev']);
    if (code !== 0) throw new SetupError('npm ci --omit=dev failed, so the service image cannot be assembled.', tail);
    for (const old of readdirSync(dirname(parent)))
      if (join(dirname(parent), old) !== fresh) rmSync(join(dirname(parent), old), { recursive: true });
    renameSync(fresh, parent);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return { parent, hash };
}

function emptyFolder(name) {
  const directory = join(cache, 'context', name.replaceAll(/[^a-z0-9]+/gi, '-'));
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}
