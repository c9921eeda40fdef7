import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveProject } from '../../src/compose/resolve.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import { fromCompose, fromProject } from './compose-comparable.ts';

// Debian's Compose (2.26) in a container is the oracle: `docker compose config` must say of every file what the resolver says.
const peer = 'subjectd/compose-peer:1';
const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');
const fixtures = join(root, 'test/fixtures/compose');
const environment: Record<string, string> = JSON.parse(readFileSync(join(fixtures, 'environment.json'), 'utf8'));

const files = [
  ...readdirSync(fixtures)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(fixtures, name)),
  ...readdirSync(join(root, 'subjects'))
    .map((kind) => join(root, 'subjects', kind, 'compose.yaml'))
    .filter((file) => existsFile(file)),
];

function existsFile(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
}

describe('the resolver agrees with Docker Compose', () => {
  const engine = createEngine();
  const signal = AbortSignal.timeout(300_000);
  let container = '';

  before(async () => {
    container = await engine.createContainer(
      `compose-oracle-${process.pid}`,
      {
        Image: peer,
        Entrypoint: ['sleep', 'infinity'],
        Labels: { 'io.subjectd.test': 'compose-oracle' },
        // At the same paths as here, so that absolute paths compare equal.
        HostConfig: {
          NetworkMode: 'none',
          Init: true,
          Mounts: [fixtures, join(root, 'subjects')].map((folder) => ({ Type: 'bind', Source: folder, Target: folder, ReadOnly: true })),
        },
      },
      signal,
    );
    await engine.startContainer(container, signal);
  });

  after(async () => {
    if (container !== '') await engine.removeContainer(container, AbortSignal.timeout(60_000));
    await engine.close();
  });

  async function composeConfig(file: string, profiles: string[]): Promise<string> {
    const chosen = profiles.flatMap((profile) => ['--profile', profile]);
    const argv = ['docker', 'compose', '-f', file, '-p', 'oracle', ...chosen, 'config', '--format', 'json'];
    const { exitCode, stdout, stderr } = await engine.exec(container, argv, signal, { env: environment, maxBytes: 4 * 1024 * 1024 });
    assert.equal(exitCode, 0, stderr);
    return stdout;
  }

  it('there are fixtures and kinds to compare', () => {
    assert.ok(files.some((file) => file.startsWith(fixtures)));
    assert.ok(files.some((file) => file.includes('/subjects/')));
  });

  for (const file of files) {
    const short = file.slice(root.length + 1);
    for (const profiles of [[], ['*']]) {
      it(`${short} means the same to both${profiles.length > 0 ? ' with all profiles' : ''}`, async () => {
        const printed = await composeConfig(file, profiles);
        const project = await resolveProject({ file, projectName: 'oracle', env: environment, profiles });
        assert.deepEqual(fromProject(project), fromCompose(printed, environment));
      });
    }
  }
});
