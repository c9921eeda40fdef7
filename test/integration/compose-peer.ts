import assert from 'node:assert/strict';
import { createEngine } from '../../src/engine/dockerode.ts';

export interface Peer {
  /** What `docker compose config --format json` prints for a file; fails the test when Compose refuses it. */
  config(file: string, profiles?: string[]): Promise<string>;
  /** The same for a text. */
  configOf(text: string): Promise<string>;
  stop(): Promise<void>;
}

/** Debian's Compose in a container without a network, that sees the folders at the paths they have here. */
export async function startPeer(folders: string[], env: Record<string, string>, signal: AbortSignal): Promise<Peer> {
  const engine = createEngine();
  const container = await engine.createContainer(
    `compose-oracle-${process.pid}-${Date.now()}`,
    {
      Image: 'subjectd/compose-peer:1',
      Entrypoint: ['sleep', '900'],
      Labels: { 'io.subjectd.test': 'compose-oracle' },
      HostConfig: {
        NetworkMode: 'none',
        Init: true,
        // An interrupted run leaves nothing for longer than the sleep.
        AutoRemove: true,
        Mounts: folders.map((folder) => ({ Type: 'bind', Source: folder, Target: folder, ReadOnly: true })),
      },
    },
    signal,
  );
  await engine.startContainer(container, signal);
  const config = async (file: string, profiles: string[] = []): Promise<string> => {
    const chosen = profiles.flatMap((profile) => ['--profile', profile]);
    const argv = ['docker', 'compose', '-f', file, '-p', 'oracle', ...chosen, 'config', '--format', 'json'];
    const { exitCode, stdout, stderr } = await engine.exec(container, argv, signal, { env, maxBytes: 8 * 1024 * 1024 });
    const errors = stderr.split('\n').filter((line) => !line.includes('level=warning'));
    assert.equal(exitCode, 0, errors.join('\n'));
    return stdout;
  };
  return {
    config,
    async configOf(text) {
      const path = '/texts/compose.yaml';
      await engine.putFiles(container, [{ path, content: Buffer.from(text), mode: 0o644, uid: 0, gid: 0 }], signal);
      return config(path);
    },
    async stop() {
      await engine.removeContainer(container, AbortSignal.timeout(60_000));
      await engine.close();
    },
  };
}
