import { posix } from 'node:path';
import { type Context, type Definition, read, type Section } from './context.ts';
import { fileMountKeys } from './keys/entries.ts';
import type { FileMount } from './model.ts';
import { fileMode } from './mounts.ts';
import type { Field } from './reader.ts';
import { suggest } from './suggest.ts';

/** A file to copy and the entry it comes from. */
export interface MountedFile {
  file: FileMount;
  field: Field;
}

const folders = { configs: '/', secrets: '/run/secrets/' };

/** `configs:` or `secrets:` of a service, with their contents when it is active. */
export async function readFileMounts(section: Section, key: 'configs' | 'secrets', active: boolean): Promise<MountedFile[]> {
  const { context, fields } = section;
  const field = fields.get(key);
  const found: MountedFile[] = [];
  for (const item of (field && context.reader.list(field)) ?? []) {
    const file = await fileMount(context, item, key, active);
    if (file) found.push({ file, field: item });
  }
  return found;
}

async function fileMount(context: Context, item: Field, key: 'configs' | 'secrets', active: boolean): Promise<FileMount | undefined> {
  const { reader } = context;
  const long = item.tree.kind === 'map';
  const fields = long ? reader.keyed(item, fileMountKeys) : new Map([['source', item]]);
  if (fields === undefined) return undefined;
  const own: Section = { context, fields };
  const source = fields.get('source');
  if (source === undefined) return reader.fail(item, 'names no source; add source:');
  const name = reader.text(source);
  const target = read(own, 'target', (r, f) => r.text(f));
  const owner = (of: string) => read(own, of, (r, f) => r.integer(f, 0, 2 ** 31 - 1)) ?? 0;
  const [uid, gid] = [owner('uid'), owner('gid')];
  const mode = read(own, 'mode', fileMode);
  const definition = name === undefined ? undefined : find(context, source, key, name);
  if (name === undefined || definition === undefined) return undefined;
  const loaded = active ? await definition.load() : { content: Buffer.alloc(0), executable: false };
  if (loaded === undefined) return undefined;
  const path = posix.resolve(folders[key], target ?? name);
  return { name, target: path, content: loaded.content, uid, gid, mode: mode ?? (loaded.executable ? 0o555 : 0o444) };
}

function find(context: Context, field: Field, key: 'configs' | 'secrets', name: string): Definition | undefined {
  const known = context[key];
  const definition = known.get(name);
  if (definition !== undefined) return definition;
  const near = suggest(name, [...known.keys()]);
  const way = near === null ? `declare it under ${key}:` : `did you mean ${near}?`;
  return context.reader.fail(field, `there is no ${key === 'configs' ? 'config' : 'secret'} ${name}; ${way}`);
}
