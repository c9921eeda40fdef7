import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { root } from './root.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Why the installed modules do not match the lock file, or undefined when they do. `lock` is package-lock.json, `installed` npm's own
 * record in node_modules/.package-lock.json. A module that is optional (built for another platform) may be absent.
 */
export function staleReason(lock, installed) {
  if (!installed) return 'not installed';
  for (const [path, wanted] of Object.entries(lock.packages ?? {})) {
    if (path === '' || wanted.link) continue;
    const found = installed.packages?.[path];
    if (!found) {
      if (wanted.optional || wanted.devOptional) continue;
      return `${path} is missing`;
    }
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) return `${path} is not ${wanted.version}`;
  }
  return undefined;
}

/** Makes node_modules equal to package-lock.json with `npm ci`, when it is not. */
export function ensureModules(progress, directory = root) {
  return progress.step('modules', async (note) => {
    const reason = staleReason(
      readJson(join(directory, 'package-lock.json')),
      readJson(join(directory, 'node_modules/.package-lock.json')),
    );
    if (!reason) return 'match package-lock.json';
    note(`${reason}, running npm ci`, true);
    const { code, tail } = await npmCi(directory, []);
    if (code !== 0) {
      throw new SetupError(
        'npm ci failed, so the node modules are not there: see its messages above; a package registry must be reachable.',
        tail,
      );
    }
    return `installed with npm ci (${reason} before)`;
  });
}

/** Runs a quiet `npm ci` without install scripts in `directory`; answers `{code, tail}`, where `tail` is what went wrong and not npm's help. */
export async function npmCi(directory, flags) {
  const errors = [];
  const { code } = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...flags], {
    cwd: directory,
    timeoutMs: 15 * 60_000,
    onLine: (line) => {
      if (errors.length < 10 && line !== 'npm error') errors.push(line);
    },
  });
  return { code, tail: errors };
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw new SetupError(`${path} cannot be read (${error.message}): remove node_modules, or restore the file, and run again.`);
  }
}
