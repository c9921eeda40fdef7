import { access, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Issues } from '../compose/issues.ts';
import { parse } from '../compose/parse.ts';
import { substitute } from '../compose/substitute.ts';
import type { MapTree, Tree } from '../compose/tree.ts';
import type { Adapter } from './adapter.ts';

/** A definition of a system that can be put under test. */
export interface Kind {
  readonly name: string;
  readonly dir: string;
  readonly composeFile: string;
  readonly adapter: Adapter;
}

/** A folder of kinds: where their files are, and where the code of their adapters is (the same, unless it was compiled elsewhere). */
export interface KindFolder {
  files: string;
  code: string;
  /** The setting that names it. */
  setting?: string;
}

const namePattern = /^[a-z0-9][a-z0-9-]{0,30}$/;

/**
 * Loads each folder that has a `compose.yaml` and an `adapter`. Throws an Error that names the folder when one of them cannot be used or a
 * name is taken twice: a service that silently lacks a kind helps nobody.
 */
export async function loadKinds(folders: readonly KindFolder[]): Promise<Kind[]> {
  const kinds: Kind[] = [];
  for (const folder of folders) {
    const { files, code } = folder;
    const before = kinds.length;
    const entries = await readdir(files, { withFileTypes: true }).catch((error: unknown) => unusable(folder, error));
    for (const entry of entries.filter((e) => e.isDirectory() || e.isSymbolicLink()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const dir = resolve(files, entry.name);
      const composeFile = join(dir, 'compose.yaml');
      if (!(await exists(composeFile).catch((error: unknown) => unusable(folder, error)))) continue;
      if (!namePattern.test(entry.name)) throw new Error(`Kind folder ${dir}: the name must match ${namePattern.source}.`);
      if (kinds.some((k) => k.name === entry.name)) throw new Error(`Kind folder ${dir}: there is another kind named ${entry.name}.`);
      kinds.push({ name: entry.name, dir, composeFile, adapter: await loadAdapter(resolve(code, entry.name), entry.name) });
    }
    if (folder.setting !== undefined && kinds.length === before) {
      const itself = (await exists(join(files, 'compose.yaml'))) ? ', but is one itself: name the folder above it' : '';
      throw new Error(`${folder.setting} names ${files}, which holds no folder of a kind (with a compose.yaml and an adapter)${itself}.`);
    }
  }
  return kinds;
}

function unusable({ files, setting }: KindFolder, error: unknown): never {
  const { code = '', path = files } = error as NodeJS.ErrnoException;
  const what = setting === undefined ? `The folder of kinds ${files}` : `${setting} names ${files}, which`;
  const why =
    code === 'ENOENT' ? 'does not exist' : code === 'ENOTDIR' ? 'is not a folder' : `cannot be read (${code} at ${path || files})`;
  const next = setting === undefined ? '' : ': name existing folders that hold a folder for each kind, separated by ":"';
  throw new Error(`${what} ${why}${next}.`, { cause: error });
}

/** The profiles that services of the kinds are in. A compose file that cannot be read adds none: what is wrong with it is told where it is used. */
export async function knownProfiles(kinds: readonly Kind[], env: Readonly<Record<string, string | undefined>>): Promise<string[]> {
  const known = new Set<string>();
  for (const { composeFile } of kinds) {
    const issues = new Issues(composeFile);
    const tree = parse(await readFile(composeFile, 'utf8').catch(() => ''), issues);
    if (tree === null) continue;
    const services = within(
      substitute(tree, (name) => env[name], issues),
      'services',
    );
    for (const { value } of services?.kind === 'map' ? services.entries.values() : []) {
      const profiles = value.kind === 'map' ? within(value, 'profiles') : undefined;
      for (const item of profiles?.kind === 'list' ? profiles.items : []) if (item.kind === 'scalar') known.add(item.text);
    }
  }
  return [...known].sort();
}

function within(tree: MapTree, key: string): Tree | undefined {
  return tree.entries.get(key)?.value;
}

async function loadAdapter(dir: string, name: string): Promise<Adapter> {
  for (const file of ['adapter.js', 'adapter.mjs', 'adapter.ts']) {
    const path = join(dir, file);
    if (!(await exists(path))) continue;
    const module = (await importModule(path)) as { adapter?: Adapter };
    if (module.adapter === undefined) throw new Error(`${path}: it must export \`adapter\`.`);
    if (module.adapter.kind !== name) throw new Error(`${path}: adapter.kind is ${module.adapter.kind}, the folder is ${name}.`);
    return module.adapter;
  }
  throw new Error(`Kind folder ${dir}: there is no adapter.js, adapter.mjs or adapter.ts.`);
}

/** A further folder's adapter may be TypeScript that nobody compiled: then tsx is loaded for it, and only then. */
async function importModule(path: string): Promise<unknown> {
  const url = pathToFileURL(path).href;
  if (!path.endsWith('.ts')) return import(url);
  const { tsImport } = await import('tsx/esm/api');
  return tsImport(url, import.meta.url);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    // A link to a file that is no folder lies there too.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
