import { type Definition, filePath, mustBe, read, type Section, type Surroundings } from './context.ts';
import { configKeys, secretKeys } from './keys/top.ts';
import { keyName } from './names.ts';
import type { Field, NamedField } from './reader.ts';

const tables = { configs: configKeys, secrets: secretKeys };
const sources = { configs: ['file', 'content', 'environment'], secrets: ['file', 'environment'] };

/** The declared configs or secrets by key. */
export function readDefinitions(context: Surroundings, field: Field | undefined, kind: 'configs' | 'secrets'): Map<string, Definition> {
  const entries = (field && context.reader.named(field, keyName)) ?? [];
  return new Map(entries.map((entry) => [entry.key, readDefinition(context, entry, kind)]));
}

type Loaded = Awaited<ReturnType<Definition['load']>>;

function readDefinition(context: Surroundings, entry: NamedField, kind: 'configs' | 'secrets'): Definition {
  const fields = context.reader.keyed(entry, tables[kind]);
  if (fields === undefined) return { load: async () => undefined };
  const section: Section<Surroundings> = { context, fields };
  mustBe(section, 'external', false, tables[kind]);
  const given = sources[kind].filter((source) => fields.has(source));
  const wanted = `exactly one of ${sources[kind].map((source) => `${source}:`).join(', ')}`;
  if (given.length !== 1) {
    context.reader.fail(entry, `must have ${wanted}`);
    return { load: async () => undefined };
  }
  const content = read(section, 'content', (r, f) => r.anyText(f));
  const variable = fields.get('environment');
  const file = fields.get('file');
  const path = file && filePath(context, file);
  let loading: Promise<Loaded> | undefined;
  return {
    load() {
      loading ??= load(context, { content, variable, file, path });
      return loading;
    },
  };
}

interface Source {
  content: string | undefined;
  variable: Field | undefined;
  file: Field | undefined;
  path: string | undefined;
}

async function load(context: Surroundings, { content, variable, file, path }: Source): Promise<Loaded> {
  const { reader } = context;
  if (variable !== undefined) {
    const name = reader.text(variable);
    const value = name === undefined ? undefined : context.lookup(name);
    if (name !== undefined && value === undefined) return reader.fail(variable, `the variable ${name} is not set; set it`);
    return value === undefined ? undefined : { content: Buffer.from(value), executable: false };
  }
  if (content !== undefined) return { content: Buffer.from(content), executable: false };
  if (file === undefined || path === undefined) return undefined;
  const answer = await context.files.read(path);
  return 'error' in answer ? reader.fail(file, `the file ${path} ${answer.error}`) : answer;
}
