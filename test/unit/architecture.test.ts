import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const src = join(root, 'src');

/** From the top down: a folder imports only from those behind it. `reset`, `faults`, `health` and `captures` meet in `control` alone. */
const order: string[][] = [
  ['main'],
  ['settings', 'priority', 'log_output'],
  ['http'],
  ['control'],
  ['reset', 'faults', 'health', 'captures'],
  ['kind'],
  ['toolbox'],
  ['compose', 'engine'],
  ['ledger', 'events'],
  ['lib'],
];

function files(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? files(join(dir, e.name)) : e.name.endsWith('.ts') ? [join(dir, e.name)] : [],
  );
}

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [
    ...text.matchAll(/^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm),
  ].map((m) => m[1] ?? m[2] ?? m[3] ?? '');
}

const folderOf = (file: string) => relative(src, file).split('/')[0]?.replace(/\.ts$/, '') ?? '';
const layerOf = (folder: string) => order.findIndex((layer) => layer.includes(folder));

describe('the shape of the code', () => {
  const all = files(src);

  test('every folder has its place in the order', () => {
    for (const folder of new Set(all.map(folderOf))) assert.notEqual(layerOf(folder), -1, folder);
  });

  test('dependencies point one way', () => {
    const wrong = all.flatMap((file) =>
      imports(file)
        .filter((i) => i.startsWith('.'))
        .map((i) => resolve(dirname(file), i))
        .filter((target) => {
          const [from, to] = [folderOf(file), folderOf(target)];
          return from !== to && !(layerOf(from) < layerOf(to));
        })
        .map((target) => `${relative(root, file)} -> ${relative(root, target)}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('only the engine adapter knows dockerode, only http knows fastify', () => {
    const outside = (library: RegExp, folder: string) =>
      all.filter((f) => folderOf(f) !== folder && imports(f).some((i) => library.test(i))).map((f) => relative(root, f));
    assert.deepEqual(outside(/^dockerode/, 'engine'), []);
    assert.deepEqual(outside(/fastify/, 'http'), []);
  });

  test('an adapter imports from kind and lib only', () => {
    const wrong = files(join(root, 'subjects'))
      .filter((f) => !/subjects\/[^/]+\/service\//.test(f))
      .flatMap((file) =>
        imports(file)
          .map((i) => (i.startsWith('.') ? resolve(dirname(file), i) : i))
          .filter((target) => target.startsWith(src) && !['kind', 'lib'].includes(folderOf(target)))
          .map((target) => `${relative(root, file)} -> ${relative(root, target)}`),
      );
    assert.deepEqual(wrong, []);
  });

  test('no import cycles between files', () => {
    const graph = new Map(
      all.map((f) => [
        f,
        imports(f)
          .filter((i) => i.startsWith('.'))
          .map((i) => resolve(dirname(f), i)),
      ]),
    );
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      assert.ok(!path.includes(file), `cycle: ${[...path.slice(path.indexOf(file)), file].map((f) => relative(root, f)).join(' -> ')}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of all) visit(file, []);
  });
});
