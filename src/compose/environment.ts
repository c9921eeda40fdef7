import { type Context, filePath, type Section } from './context.ts';
import { parseEnvFile } from './dotenv.ts';
import { envFileKeys } from './keys/entries.ts';
import { readPairs, record } from './maps.ts';
import type { Field } from './reader.ts';

/** The variables of a service: its env files in order, then `environment:`, which wins. */
export async function readEnvironment(section: Section, active: boolean): Promise<Record<string, string>> {
  const { context, fields } = section;
  const values = new Map<string, string>();
  const envFile = fields.get('env_file');
  if (envFile !== undefined) for (const [name, value] of await readEnvFiles(context, envFile, active)) values.set(name, value);
  const environment = fields.get('environment');
  const pairs = environment && readPairs(context.reader, environment);
  for (const [name, { value }] of pairs ?? []) {
    const given = value ?? context.lookup(name);
    if (given === undefined) values.delete(name);
    else values.set(name, given);
  }
  return record([...values]);
}

async function readEnvFiles(context: Context, field: Field, active: boolean): Promise<Map<string, string>> {
  const entries = field.tree.kind === 'list' ? (context.reader.list(field) ?? []) : [field];
  const values = new Map<string, string>();
  for (const entry of entries) {
    const file = envFileEntry(context, entry);
    if (file === undefined || !active) continue;
    const answer = await context.files.read(file.path);
    if ('error' in answer) {
      if (file.required) context.reader.fail(file.field, `the env file ${file.path} ${answer.error}`);
      continue;
    }
    const lookup = (name: string) => context.lookup(name) ?? values.get(name);
    const parsed = parseEnvFile(answer.content.toString('utf8'), lookup);
    for (const { line, message } of parsed.errors) context.reader.issues.add({ line, column: 1 }, entry.path, message, file.path);
    for (const [name, value] of parsed.values) values.set(name, value);
  }
  return values;
}

function envFileEntry(context: Context, entry: Field): { path: string; required: boolean; field: Field } | undefined {
  const { reader } = context;
  if (entry.tree.kind !== 'map') {
    const path = filePath(context, entry);
    return path === undefined ? undefined : { path, required: true, field: entry };
  }
  const fields = reader.keyed(entry, envFileKeys);
  const field = fields?.get('path');
  if (field === undefined) return reader.fail(entry, 'names no file; add path:');
  const path = filePath(context, field);
  const required = fields?.get('required');
  return path === undefined ? undefined : { path, required: required === undefined || (reader.flag(required) ?? true), field };
}
