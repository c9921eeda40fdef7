import { posix } from 'node:path';
import { type Context, filePath, read, type Section } from './context.ts';
import { mountBindKeys, mountKeys, mountTmpfsKeys, mountVolumeKeys } from './keys/entries.ts';
import type { Mount } from './model.ts';
import type { Field, Reader } from './reader.ts';
import { parseSize } from './size.ts';
import { suggest } from './suggest.ts';

/** A mount and the entry it comes from. */
export interface Mounted {
  mount: Mount;
  field: Field;
}

/** `volumes:` and `tmpfs:` of a service. Sources of binds are looked for only when the service is active. */
export async function readMounts(section: Section, active: boolean): Promise<Mounted[]> {
  const { context, fields } = section;
  const found: Mounted[] = [];
  const volumes = fields.get('volumes');
  for (const field of (volumes && context.reader.list(volumes)) ?? []) {
    const mount = field.tree.kind === 'map' ? await longMount(context, field, active) : await shortMount(context, field, active);
    if (mount) found.push({ mount, field });
  }
  const tmpfs = fields.get('tmpfs');
  for (const field of tmpfs === undefined ? [] : tmpfs.tree.kind === 'list' ? (context.reader.list(tmpfs) ?? []) : [tmpfs]) {
    const mount = tmpfsMount(context.reader, field);
    if (mount) found.push({ mount, field });
  }
  return found;
}

async function shortMount(context: Context, field: Field, active: boolean): Promise<Mount | undefined> {
  const { reader } = context;
  const text = reader.text(field);
  if (text === undefined) return undefined;
  const parts = text.split(':');
  if (parts.length > 3 || parts.includes('')) return reader.fail(field, `"${text}" is not a mount; write [source:]/target[:options]`);
  const [first = '', second, third = ''] = parts;
  const options = third === '' ? [] : third.split(',');
  const target = mountTarget(reader, field, second ?? first);
  if (target === undefined) return undefined;
  const known = ['ro', 'rw', 'nocopy', 'cached', 'delegated', 'consistent'];
  const odd = options.find((option) => !known.includes(option));
  if (odd !== undefined) return reader.fail(field, `the mount option ${odd} is not supported; use ro, rw or nocopy`);
  const readOnly = options.lastIndexOf('ro') > options.lastIndexOf('rw');
  if (second === undefined) return { type: 'volume', volume: null, target, readOnly: false, noCopy: false };
  if (/^[./~]/.test(first)) return bind(context, field, first, target, readOnly, active);
  return volume(context, field, first, { target, readOnly, noCopy: options.includes('nocopy') });
}

async function longMount(context: Context, field: Field, active: boolean): Promise<Mount | undefined> {
  const { reader } = context;
  const fields = reader.keyed(field, mountKeys);
  if (fields === undefined) return undefined;
  const own: Section = { context, fields };
  const type = read(own, 'type', (r, f) => r.text(f));
  const source = read(own, 'source', (r, f) => r.text(f));
  const target = read(own, 'target', (r, f) => mountTarget(r, f, r.text(f)));
  const readOnly = read(own, 'read_only', (r, f) => r.flag(f)) ?? false;
  for (const other of ['bind', 'volume', 'tmpfs']) {
    const extra = fields.get(other);
    if (extra !== undefined && type !== undefined && other !== type)
      reader.fail(extra, `${other}: says nothing about a mount of type ${type}; remove it`);
  }
  if (!fields.has('type')) return reader.fail(field, 'has no type; add type: volume, bind or tmpfs');
  if (!fields.has('target')) return reader.fail(field, 'has no target; add target: with an absolute path');
  if (type === undefined || target === undefined) return undefined;
  const sourceField = fields.get('source') ?? field;
  if (type === 'volume') {
    const noCopy = read(own, 'volume', (r, f) => noCopyOption(r, f)) ?? false;
    if (!fields.has('source')) return { type, volume: null, target, readOnly, noCopy };
    return source === undefined ? undefined : volume(context, sourceField, source, { target, readOnly, noCopy });
  }
  if (type === 'bind') {
    read(own, 'bind', (r, f) => r.keyed(f, mountBindKeys));
    if (!fields.has('source')) return reader.fail(field, 'has no source; add source: with the path of a file or folder');
    return source === undefined ? undefined : bind(context, sourceField, source, target, readOnly, active);
  }
  if (type === 'tmpfs') return longTmpfs(own, field, target, readOnly);
  return reader.fail(fields.get('type') ?? field, `the mount type ${type} is not supported; use volume, bind or tmpfs`);
}

function noCopyOption(reader: Reader, field: Field): boolean | undefined {
  const option = reader.keyed(field, mountVolumeKeys)?.get('nocopy');
  return option && reader.flag(option);
}

function volume(
  context: Context,
  field: Field,
  key: string,
  rest: { target: string; readOnly: boolean; noCopy: boolean },
): Mount | undefined {
  if (context.volumes.has(key)) return { type: 'volume', volume: key, ...rest };
  const near = suggest(key, [...context.volumes]);
  const way = near === null ? 'declare it under volumes:, or write ./ before the path of a bind' : `did you mean ${near}?`;
  return context.reader.fail(field, `there is no volume ${key}; ${way}`);
}

async function bind(
  context: Context,
  field: Field,
  source: string,
  target: string,
  readOnly: boolean,
  active: boolean,
): Promise<Mount | undefined> {
  const { reader } = context;
  if (!readOnly) return reader.fail(field, 'a writable bind mount cannot be reset; make it read-only (:ro), or use a volume');
  const path = filePath(context, {
    ...field,
    tree: { kind: 'scalar', at: field.tree.at, value: source, text: source, odd: false, dollars: [] },
  });
  if (path === undefined) return undefined;
  const kind = active ? await context.files.kind(path) : 'file';
  if (kind === null) return reader.fail(field, `there is nothing at ${path} to mount; create it, or correct the path`);
  if (kind === 'socket')
    return reader.fail(field, `${path} is a socket, and what a node does through it cannot be reset; remove the mount`);
  return { type: 'bind', source: path, target, readOnly };
}

function longTmpfs(own: Section, field: Field, target: string, readOnly: boolean): Mount | undefined {
  const { reader } = own.context;
  const source = own.fields.get('source');
  if (source !== undefined) return reader.fail(source, 'a tmpfs has no source; remove it');
  if (readOnly) return reader.fail(own.fields.get('read_only') ?? field, 'a read-only tmpfs stays empty; remove read_only');
  const options = own.fields.get('tmpfs');
  const fields = options && reader.keyed(options, mountTmpfsKeys);
  const tmpfs: Section = { context: own.context, fields: fields ?? new Map() };
  const sizeBytes = read(tmpfs, 'size', (r, f) => r.bytes(f)) || null;
  return { type: 'tmpfs', target, sizeBytes, mode: read(tmpfs, 'mode', fileMode) ?? null };
}

/** Options that are the engine's defaults for a tmpfs already. */
const tmpfsDefaults = ['rw', 'nosuid', 'nodev', 'noexec'];

function tmpfsMount(reader: Reader, field: Field): Mount | undefined {
  const text = reader.text(field);
  if (text === undefined) return undefined;
  const [path = '', ...rest] = text.split(':');
  const target = mountTarget(reader, field, path);
  if (target === undefined) return undefined;
  const mount: Mount & { type: 'tmpfs' } = { type: 'tmpfs', target, sizeBytes: null, mode: null };
  for (const option of rest.join(':').split(',')) {
    if (option === '' || tmpfsDefaults.includes(option)) continue;
    const size = /^size=(.+)$/.exec(option)?.[1];
    const bytes = size === undefined ? null : parseSize(size);
    const mode = /^mode=([0-7]{1,5})$/.exec(option)?.[1];
    if (bytes !== null) mount.sizeBytes = bytes || null;
    else if (mode !== undefined) mount.mode = Number.parseInt(mode, 8);
    else return reader.fail(field, `the tmpfs option ${option} is not supported; use size= and mode=`);
  }
  return mount;
}

function mountTarget(reader: Reader, field: Field, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const target = posix.normalize(text).replace(/(.)\/$/, '$1');
  if (target.startsWith('/') && target !== '/') return target;
  return reader.fail(field, `"${text}" is not a path to mount at; write an absolute path below /`);
}

/** Permission bits written as a number; a text is refused because Compose takes "0440" as decimal. */
export function fileMode(reader: Reader, field: Field): number | undefined {
  const { tree } = field;
  if (tree.kind === 'scalar' && typeof tree.value === 'number' && Number.isInteger(tree.value) && tree.value >= 0 && tree.value <= 0o7777)
    return tree.value;
  return reader.fail(field, 'must be permission bits as a number without quotes, such as 0440');
}
