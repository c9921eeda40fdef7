import { resolve } from 'node:path';
import type { Files } from './files.ts';
import type { Lookup } from './interpolate.ts';
import type { KeyTable } from './keys/rule.ts';
import type { Network } from './model.ts';
import type { Field, Reader } from './reader.ts';

/** Where to report to, and what surrounds the file. */
export interface Surroundings {
  reader: Reader;
  projectName: string;
  workingDir: string;
  lookup: Lookup;
  files: Files;
}

/** What the readers of services need besides: the other sections of the file. */
export interface Context extends Surroundings {
  /** Added to every fixed host port. */
  portOffset: number;
  /** Whether each declared service has an active profile. */
  services: ReadonlyMap<string, { active: boolean }>;
  networks: ReadonlyMap<string, Network>;
  volumes: ReadonlySet<string>;
  configs: ReadonlyMap<string, Definition>;
  secrets: ReadonlyMap<string, Definition>;
}

/** A config or secret of the file; its content is only looked for when an active service uses it. */
export interface Definition {
  load(): Promise<{ content: Buffer; executable: boolean } | undefined>;
}

/** The fields of one mapping of the file by key, and what surrounds it. */
export interface Section<C extends Surroundings = Context> {
  context: C;
  fields: ReadonlyMap<string, Field>;
}

/** Reads the field of a key with one of the reader's methods; undefined when the key is absent or was reported. */
export function read<T>(section: Section<Surroundings>, key: string, how: (reader: Reader, field: Field) => T | undefined): T | undefined {
  const field = section.fields.get(key);
  return field === undefined ? undefined : how(section.context.reader, field);
}

/** An absolute path from one in the file; undefined after reporting one that depends on who runs the service. */
export function filePath(context: Surroundings, field: Field): string | undefined {
  const path = context.reader.text(field);
  if (path?.startsWith('~')) return context.reader.fail(field, '~ depends on who runs the service; write the path out');
  return path === undefined ? undefined : resolve(context.workingDir, path);
}

/** Reports a true or false that the subset does not take, with the way out of the key's rule. */
export function mustBe(section: Section<Surroundings>, key: string, allowed: boolean, table: KeyTable): void {
  const field = section.fields.get(key);
  if (field === undefined) return;
  const { reader } = section.context;
  const value = field.tree.kind === 'map' ? 'this' : reader.flag(field);
  if (value !== undefined && value !== allowed) reader.fail(field, `${value} is not supported: ${table[key]?.note ?? ''}`);
}
