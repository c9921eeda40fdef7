import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './command.mjs';
import { contextHash } from './context.mjs';
import { cache, root } from './root.mjs';
import { SetupError } from './setup-error.mjs';

const SOURCES = ['src', 'subjects'];
const INPUTS = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/** SHA-256 over all that the compiler reads: the sources, its settings and the versions of the modules. */
export function sourcesHash(directory = root) {
  const inputs = INPUTS.map((file) => [file, readFileSync(join(directory, file))]);
  const sources = SOURCES.map((folder) => [`${folder}/`, contextHash(join(directory, folder))]);
  return contextHash(join(directory, SOURCES[0]), Object.fromEntries([...inputs, ...sources]));
}

/**
 * Sees that dist/ is what the sources compile to, with `npm run build` when it is not. The compiler writes beside it and the result is
 * moved into place, so that a failed build leaves the last good one and no file of a source that is gone stays.
 */
export function ensureDist(progress) {
  return progress.step('build', async (note) => {
    const hash = sourcesHash();
    const stamp = join(root, 'dist', '.sources');
    if (existsSync(join(root, 'dist/src/main.js')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash)
      return 'dist is up to date';
    note('npm run build', true);
    const fresh = join(cache, `dist-${process.pid}`);
    mkdirSync(dirname(fresh), { recursive: true });
    try {
      const { code, tail } = await run('npm', ['run', '--silent', 'build', '--', '--outDir', fresh], { cwd: root, timeoutMs: 5 * 60_000 });
      if (code !== 0) throw new SetupError('npm run build failed: see the compiler messages above.', tail);
      writeFileSync(join(fresh, '.sources'), hash);
      rmSync(join(root, 'dist'), { recursive: true, force: true });
      renameSync(fresh, join(root, 'dist'));
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
    return 'dist was built';
  });
}
