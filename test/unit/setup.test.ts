import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readSettings } from '../../src/settings.ts';
import { type Json, load, withFolder } from './scripts.ts';

interface Image {
  tag: string;
  base: string;
  after?: string;
}
const { contextHash } = await load<{ contextHash(directory: string, inputs?: Json): string }>('setup/context.mjs');
const { staleReason } = await load<{ staleReason(lock: Json, installed: Json | undefined): string | undefined }>('setup/modules.mjs');
const { isAtLeast } = await load<{ isAtLeast(have: string, need: string): boolean }>('setup/node-version.mjs');
const { isDebian } = await load<{ isDebian(osRelease: string): boolean }>('setup/apt.mjs');
const { engineAddress } = await load<{ engineAddress(env: Json): { shown: string; given: boolean; options: Json } }>('setup/address.mjs');
const { preflight } = await load<{ preflight(env: Json): Promise<void> }>('setup/preflight.mjs');
const { jsonLines, readProgress, splitName } = await load<{
  jsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Json>;
  readProgress(record: Json): string | undefined;
  splitName(name: string): { repository: string; tag: string };
}>('setup/engine-api.mjs');
const { registryOf } = await load<{ registryOf(name: string): string }>('setup/registry.mjs');
const { inOrder, proxyArguments } = await load<{ inOrder(images: Image[]): Image[]; proxyArguments(env: Json): Json }>('setup/images.mjs');
const { BASE, IMAGES } = await load<{ BASE: string; IMAGES: Image[] }>('setup/image-table.mjs');
const { elapsed } = await load<{ elapsed(ms: number): string }>('setup/progress.mjs');

describe('the hash of a build context', () => {
  const hashAfter = (change: (directory: string) => void, inputs: Json = { base_id: 'a' }): string =>
    withFolder((directory) => {
      mkdirSync(join(directory, 'sub'));
      writeFileSync(join(directory, 'Dockerfile'), 'FROM x');
      writeFileSync(join(directory, 'sub/run'), '1');
      change(directory);
      return contextHash(directory, inputs);
    });
  const before = hashAfter(() => {});

  it('is the same for the same files in another place', () => {
    assert.equal(
      hashAfter(() => {}),
      before,
    );
  });

  it('changes with a content, a name, a right to execute, a link, a new file, and each input', () => {
    const others = [
      hashAfter((d) => writeFileSync(join(d, 'sub/run'), '2')),
      hashAfter((d) => writeFileSync(join(d, 'sub/ru'), 'n1')),
      hashAfter((d) => chmodSync(join(d, 'sub/run'), 0o755)),
      hashAfter((d) => symlinkSync('run', join(d, 'sub/link'))),
      hashAfter((d) => symlinkSync('other', join(d, 'sub/link'))),
      hashAfter(() => {}, { base_id: 'b' }),
      hashAfter(() => {}, { base_id: 'a', BASE: 'x' }),
    ];
    assert.equal(new Set([before, ...others]).size, others.length + 1);
  });
});

describe('stale modules', () => {
  const lock = (packages: Json) => ({ packages: { '': { version: '1.0.0' }, ...packages } });
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  it('are none when what the lock file names is installed', () => {
    assert.equal(staleReason(lock({ 'node_modules/a': a }), { packages: { 'node_modules/a': a } }), undefined);
  });
  it('are found when nothing, too little, another version or another content is installed', () => {
    assert.equal(staleReason(lock({ 'node_modules/a': a }), undefined), 'not installed');
    assert.match(staleReason(lock({ 'node_modules/a': a }), { packages: {} }) ?? '', /a is missing/);
    assert.match(
      staleReason(lock({ 'node_modules/a': a }), { packages: { 'node_modules/a': { ...a, version: '2.0.0' } } }) ?? '',
      /not 1\.0\.0/,
    );
    assert.match(
      staleReason(lock({ 'node_modules/a': a }), { packages: { 'node_modules/a': { ...a, integrity: 'x' } } }) ?? '',
      /not 1\.0\.0/,
    );
  });
  it('are not those that are optional and absent on this platform', () => {
    assert.equal(staleReason(lock({ 'node_modules/a': { ...a, optional: true } }), { packages: {} }), undefined);
  });
});

it('the lock file names every optional package that its packages refer to, or npm ci refuses it where a registry lacks one', () => {
  const { packages } = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`]),
  );
  assert.deepEqual(missing, []);
});

it('versions compare by number, part by part', () => {
  assert.ok(isAtLeast('20.19.2', '20.19'));
  assert.ok(isAtLeast('20.19', '20.19.0'));
  assert.ok(isAtLeast('22.1.0', '20.19'));
  assert.ok(!isAtLeast('20.9.0', '20.19'));
  assert.ok(!isAtLeast('18.20.4', '20.19'));
});

it('Debian and what is made from it are known by os-release', () => {
  assert.ok(isDebian('NAME="x"\nID=debian\n'));
  assert.ok(isDebian('ID=ubuntu\nID_LIKE=debian\n'));
  assert.ok(isDebian('ID=linuxmint\nID_LIKE="ubuntu debian"\n'));
  assert.ok(!isDebian('ID=fedora\nID_LIKE="rhel"\n'));
  assert.ok(!isDebian(''));
});

describe('the address of the engine', () => {
  it('is the default socket when nothing is given', () => {
    assert.deepEqual(engineAddress({}).options, { socketPath: '/var/run/docker.sock' });
    assert.equal(engineAddress({ DOCKER_HOST: '' }).given, false);
  });
  it('is a socket or a host as DOCKER_HOST says, without a password in what is shown', () => {
    assert.deepEqual(engineAddress({ DOCKER_HOST: 'unix:///run/x.sock' }).options, { socketPath: '/run/x.sock' });
    const tcp = engineAddress({ DOCKER_HOST: 'tcp://me:secret@10.0.0.1' });
    assert.deepEqual(tcp.options, { host: '10.0.0.1', port: 2375 });
    assert.ok(tcp.given && !tcp.shown.includes('secret'));
    assert.deepEqual(engineAddress({ DOCKER_HOST: 'tcp://[::1]:99' }).options, { host: '::1', port: 99 });
    assert.deepEqual(engineAddress({ DOCKER_HOST: 'tcp://h:80' }).options, { host: 'h', port: 80 });
  });
  it('is refused with one sentence in any other form, which is not repeated in it', () => {
    for (const form of ['ssh://me:secret@host', 'unix://relative', 'nonsense', 'tcp://']) {
      assert.throws(
        () => engineAddress({ DOCKER_HOST: form }),
        (error: Error) => /unix:\/\//.test(error.message) && !error.message.includes('secret'),
      );
    }
    assert.throws(() => engineAddress({ DOCKER_HOST: 'tcp://h:1', DOCKER_TLS_VERIFY: '1' }), /TLS/);
  });
});

describe('the preflight', () => {
  it('says that a port is taken, and is content once it is free', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address && typeof address === 'object');
    const env = { SUBJECTD_PORT: String(address.port) };
    await assert.rejects(preflight(env), new RegExp(`port ${address.port} on 127\\.0\\.0\\.1 is taken`));
    await new Promise((resolve) => server.close(resolve));
    await preflight(env);
  });
  it('refuses what is no port and what is no address of this machine', async () => {
    for (const port of ['x', '-1', '65536', '1.5', '0x50']) await assert.rejects(preflight({ SUBJECTD_PORT: port }), /no port/);
    const elsewhere = { SUBJECTD_HOST: '192.0.2.1', SUBJECTD_PORT: '0', SUBJECTD_TOKEN: 'a-long-enough-token' };
    await assert.rejects(preflight(elsewhere), /no address 192\.0\.2\.1/);
  });
  it('refuses a host that others can reach without a token, and a short token, in the words of the service', async () => {
    for (const env of [
      { SUBJECTD_HOST: '0.0.0.0' },
      { SUBJECTD_HOST: '0.0.0.0', SUBJECTD_TOKEN: '' },
      { SUBJECTD_HOST: '127.0.0.2' },
      { SUBJECTD_TOKEN: 'fifteen-letters' },
      { SUBJECTD_HOST: '0.0.0.0', SUBJECTD_TOKEN: 'short' },
    ]) {
      const words = (() => {
        try {
          readSettings(env, '/');
        } catch (error) {
          return (error as Error).message;
        }
        return assert.fail('the service takes these settings');
      })();
      await assert.rejects(preflight({ ...env, SUBJECTD_PORT: '0' }), { name: 'SetupError', message: words });
    }
    await preflight({ SUBJECTD_HOST: 'localhost', SUBJECTD_TOKEN: '', SUBJECTD_PORT: '0' });
    await preflight({ SUBJECTD_HOST: '0.0.0.0', SUBJECTD_TOKEN: 'sixteen-letters-', SUBJECTD_PORT: '0' });
  });
});

describe('the stream of a pull or build', () => {
  it('is read line by line however it is cut', async () => {
    const bytes = Buffer.from('{"status":"é"}\r\n\n{"stream":"b\\n"}\n{"id":"c"}');
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = async function* () {
        for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
      };
      const records = [];
      for await (const record of jsonLines(chunks())) records.push(record);
      assert.deepEqual(records, [{ status: 'é' }, { stream: 'b\n' }, { id: 'c' }]);
    }
  });
  it('fails on a line that reports an error', () => {
    assert.throws(() => readProgress({ error: 'E1' }), /E1/);
    assert.throws(() => readProgress({ errorDetail: { message: 'E2' }, error: 'E1' }), /E2/);
    assert.equal(readProgress({ stream: ' Step 1/2 \n' }), 'Step 1/2');
    assert.equal(readProgress({ aux: {} }), undefined);
  });
});

it('image names are split at the tag and not at a port, and tell their registry', () => {
  assert.deepEqual(splitName('debian:trixie-slim'), { repository: 'debian', tag: 'trixie-slim' });
  assert.deepEqual(splitName('host:5000/a/b'), { repository: 'host:5000/a/b', tag: 'latest' });
  assert.deepEqual(['debian', 'a/b:1', 'host:5000/a', 'localhost/a', 'r.example/a/b:2'].map(registryOf), [
    'docker.io',
    'docker.io',
    'host:5000',
    'localhost',
    'r.example',
  ]);
});

describe('the image table', () => {
  it('grows every image from the base or from another image in it, each tag once', () => {
    const tags = IMAGES.map((image) => image.tag);
    assert.equal(new Set(tags).size, tags.length);
    for (const { base } of IMAGES) assert.ok(base === BASE || tags.includes(base), base);
  });
  it('is built with each image after its base', () => {
    const order = inOrder([...IMAGES].reverse()).map((image) => image.tag);
    for (const { tag, base, after } of IMAGES) {
      assert.ok(order.indexOf(base) < order.indexOf(tag));
      if (after) assert.ok(order.includes(after) && order.indexOf(after) < order.indexOf(tag), tag);
    }
    assert.throws(
      () =>
        inOrder([
          { tag: 'a', base: 'b' },
          { tag: 'b', base: 'a' },
        ]),
      /circle/,
    );
  });
});

it('a proxy on this host is not given to builds, where its address means another host', () => {
  assert.deepEqual(
    proxyArguments({
      HTTP_PROXY: 'http://127.0.0.1:3128',
      https_proxy: 'http://u:p@localhost:1',
      no_proxy: 'a',
      HTTPS_PROXY: 'http://p:1',
    }),
    {
      no_proxy: 'a',
      HTTPS_PROXY: 'http://p:1',
    },
  );
});

it('elapsed time is told in the unit that fits it', () => {
  assert.deepEqual([40, 9_949, 9_960, 61_000].map(elapsed), ['0.0 s', '9.9 s', '10 s', '1 min 1 s']);
});
