import { readFileSync } from 'node:fs';
import { run } from './command.mjs';
import { SetupError } from './setup-error.mjs';

const OPTIONS = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', '-o', 'Acquire::http::Timeout=60'];
let listsAreFresh = false;

/** True when os-release text describes Debian or something made from it (Ubuntu, …). */
export function isDebian(osRelease) {
  const value = (key) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  return [value('ID'), ...value('ID_LIKE').split(/\s+/)].some((id) => id === 'debian' || id === 'ubuntu');
}

/** Why packages cannot be installed here ("this is not Debian or Ubuntu", "not running as root"), or undefined when they can. */
export function whyNoInstall() {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // no such file: some other system
  }
  if (!isDebian(text)) return 'this is not Debian or Ubuntu';
  if (process.getuid?.() !== 0) return 'this does not run as root';
  return undefined;
}

/** Installs packages with apt-get; a SetupError with apt's last lines when it fails. `note` gets a line of progress. */
export async function aptInstall(packages, note) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const say = (what) => (line) => note(`${what}: ${line}`);
  note(`apt-get install ${packages.join(' ')}`, true);
  let update = { code: 0, tail: [] };
  if (!listsAreFresh) {
    update = await run('apt-get', ['update', ...OPTIONS], { env, timeoutMs: 10 * 60_000, onLine: say('apt-get update') });
    listsAreFresh = update.code === 0;
  }
  // A third party's broken source makes `update` fail and must not matter when the packages can be had all the same.
  const install = await run('apt-get', ['install', '--no-install-recommends', ...OPTIONS, ...packages], {
    env,
    timeoutMs: 30 * 60_000,
    onLine: say('apt-get install'),
  });
  if (install.code !== 0) {
    throw new SetupError(`apt-get could not install ${packages.join(', ')}: see its last lines above, correct that and run again.`, [
      ...update.tail.slice(-5),
      ...install.tail.slice(-10),
    ]);
  }
}
