import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Kinds that take part, with their folders. */
const kinds = { trio: 'test/kinds/trio', ratelimiter: 'subjects/ratelimiter' } as const;

export interface Program {
  file: string;
  /** Arguments: the folders of the kinds' files and of their adapters' code. */
  args: string[];
  [Symbol.dispose](): void;
}

/** Bundles the service's program and the adapters once, so that each of a thousand starts is a quick one. */
export async function makeProgram(): Promise<Program> {
  // Below the root, where its modules are found.
  const folder = join(root, '.cache', 'crash');
  mkdirSync(folder, { recursive: true });
  const dir = mkdtempSync(join(folder, 'p-'));
  const files = join(dir, 'kinds');
  mkdirSync(files);
  for (const [name, path] of Object.entries(kinds)) symlinkSync(join(root, path), join(files, name));
  const common = { bundle: true, platform: 'node', target: 'node20', format: 'esm', packages: 'external', logLevel: 'error' } as const;
  await build({ ...common, entryPoints: [join(root, 'test/crash/service_main.ts')], outfile: join(dir, 'service.mjs') });
  const entryPoints = Object.fromEntries(Object.entries(kinds).map(([name, path]) => [`${name}/adapter`, join(root, path, 'adapter.ts')]));
  await build({ ...common, entryPoints, outdir: join(dir, 'code'), outExtension: { '.js': '.mjs' } });
  return {
    file: join(dir, 'service.mjs'),
    args: [files, join(dir, 'code')],
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
