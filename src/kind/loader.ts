import { access, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
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
}

const namePattern = /^[a-z0-9][a-z0-9-]{0,30}$/;

/**
 * Loads each folder that has a `compose.yaml` and an `adapter`. Throws an Error that names the folder when one of them cannot be used or a
 * name is taken twice: a service that silently lacks a kind helps nobody.
 */
export async function loadKinds(folders: readonly KindFolder[]): Promise<Kind[]> {
  const kinds: Kind[] = [];
  for (const { files, code } of folders) {
    const entries = await readdir(files, { withFileTypes: true });
    for (const entry of entries.filter((e) => e.isDirectory() || e.isSymbolicLink()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const dir = resolve(files, entry.name);
      const composeFile = join(dir, 'compose.yaml');
      if (!(await exists(composeFile))) continue;
      if (!namePattern.test(entry.name)) throw new Error(`Kind folder ${dir}: the name must match ${namePattern.source}.`);
      if (kinds.some((k) => k.name === entry.name)) throw new Error(`Kind folder ${dir}: there is another kind named ${entry.name}.`);
      kinds.push({ name: entry.name, dir, composeFile, adapter: await loadAdapter(resolve(code, entry.name), entry.name) });
    }
  }
  return kinds;
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
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
