import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { build } from 'esbuild';
import { parseDockerHost } from '../../src/engine/connection.ts';
import { detail, engine, exited, run, signal, sleeper, swept, uniqueName } from './engine-rig.ts';

swept();

describe('the process itself', () => {
  const nodeImage = 'subjectd/node:20';
  let script: Buffer;

  before(async () => {
    assert.ok(await engine.inspectImage(nodeImage, signal), `the image ${nodeImage} is missing; set-up makes it`);
    const bundle = await build({
      stdin: {
        contents: `
          import { createEngine } from './src/engine/dockerode.ts';
          import { findSelf } from './src/engine/self.ts';
          const engine = createEngine({ dockerHost: 'unix:///engine.sock' });
          findSelf(engine, AbortSignal.timeout(30000)).then((self) => console.log(JSON.stringify(self))).finally(() => engine.close());`,
        resolveDir: new URL('../../', import.meta.url).pathname,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      write: false,
      target: 'node20',
      external: ['*.node', 'cpu-features'],
      logLevel: 'silent',
    });
    script = Buffer.from(bundle.outputFiles[0]?.contents ?? []);
  });

  async function ask(networkMode: string): Promise<{ id: string; said: unknown }> {
    const socket = parseDockerHost(process.env.DOCKER_HOST);
    assert.ok('socketPath' in socket, 'this test needs the engine on a socket');
    const id = await engine.createContainer(
      uniqueName(),
      sleeper({
        Image: nodeImage,
        Cmd: ['node', '/self.cjs'],
        HostConfig: { NetworkMode: networkMode, Mounts: [{ Type: 'bind', Source: socket.socketPath, Target: '/engine.sock' }] },
      }),
      signal,
    );
    await engine.putFiles(id, [{ path: '/self.cjs', content: script, mode: 0o644, uid: 0, gid: 0 }], signal);
    await engine.startContainer(id, signal);
    await exited(id);
    const lines = await engine.logTail(id, 20, signal);
    assert.equal((await detail(id)).exitCode, 0, lines.join('\n'));
    return { id, said: JSON.parse(lines.at(-1) ?? 'null') };
  }

  it('in a container finds that container', async () => {
    const { id, said } = await ask('bridge');
    assert.deepEqual(said, { inContainer: true, containerId: id, hostNetwork: false });
  });

  it('in a container on the host’s network says so', async () => {
    const { id, said } = await ask('host');
    assert.deepEqual(said, { inContainer: true, containerId: id, hostNetwork: true });
  });

  it('in a container that shares another’s network finds the other', async () => {
    const owner = await run();
    const { said } = await ask(`container:${owner}`);
    assert.deepEqual(said, { inContainer: true, containerId: owner, hostNetwork: false });
  });
});
