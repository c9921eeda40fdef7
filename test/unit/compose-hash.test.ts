import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, definitionHash } from '../../src/compose/hash.ts';
import { memoryFiles, resolveYaml } from './compose-helpers.ts';

/** A file with a bit of everything, as data. */
const base = {
  services: {
    db: {
      image: 'db:1',
      command: ['run', '--fast'],
      environment: { A: '1', B: '2', C: '3' },
      labels: { one: '1', two: '2' },
      ports: ['127.0.0.1:8001:80', '8002:81'],
      volumes: ['data:/data', { type: 'tmpfs', target: '/t', tmpfs: { size: '1m' } }],
      networks: { front: { aliases: ['x', 'y'] }, back: { ipv4_address: '10.1.0.5' } },
      healthcheck: { test: ['CMD', 'true'], interval: '5s', retries: 5 },
      ulimits: { nofile: { soft: 1, hard: 2 }, nproc: 5 },
      sysctls: { a: '1', b: '2' },
      extra_hosts: { h1: '10.0.0.1', h2: '10.0.0.2' },
      configs: [{ source: 'conf', target: '/conf' }],
      secrets: ['key'],
    },
    web: { image: 'web:1', depends_on: { db: { condition: 'service_healthy' }, init: { condition: 'service_completed_successfully' } } },
    init: { image: 'init:1', env_file: 'e.env' },
  },
  networks: { front: { driver_opts: { a: '1', b: '2' } }, back: { ipam: { config: [{ subnet: '10.1.0.0/24' }] } } },
  volumes: { data: { labels: { l: '1', m: '2' } } },
  configs: { conf: { file: './conf' } },
  secrets: { key: { environment: 'KEY' } },
};

const contents = { '/kind/conf': 'one', '/kind/e.env': 'E=1' };
const options = { files: memoryFiles(contents), env: { KEY: 'k' } };
const hashOf = async (value: unknown, change: Parameters<typeof resolveYaml>[1] = {}) =>
  (await resolveYaml(typeof value === 'string' ? value : JSON.stringify(value), { ...options, ...change })).hash;

/** The same value with the keys of every mapping in another order: by a number for each mapping. */
function shuffled(value: unknown, next: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, next));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]): [number, [string, unknown]] => [next(), [key, shuffled(item, next)]]);
  return Object.fromEntries(entries.sort(([a], [b]) => a - b).map(([, entry]) => entry));
}

describe("a project's hash", () => {
  it('is 64 hexadecimal digits', async () => assert.match(await hashOf(base), /^[0-9a-f]{64}$/));

  it('does not depend on the order of keys', async () => {
    const wanted = await hashOf(base);
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer()), async (numbers) => {
        assert.equal(await hashOf(shuffled(base, () => Number(numbers.next().value))), wanted);
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on layout, comments, place, or how a value is written', async () => {
    const one = await hashOf('services:\n  a:\n    image: x\n    ports: ["127.0.0.1:80:81"]\n    mem_limit: 64m\n    command: a "b c"\n');
    const other =
      'version: "3"\nx-note: 1\nservices: {a: {image: x, ports: [{target: 81, published: 80, host_ip: 127.0.0.1}], mem_limit: 67108864, command: [a, b c]}} # c\n';
    assert.equal(await hashOf(other), one);
    assert.equal(await hashOf(other, { file: '/elsewhere/compose.yaml' }), one);
  });

  it('changes with the project name, the port offset, profiles and variables', async () => {
    const text = 'services: {a: {image: "x:$TAG", ports: ["80:80"]}, b: {image: x, profiles: [p]}}';
    const env = { TAG: '1' };
    const hashes = await Promise.all([
      hashOf(text, { env }),
      hashOf(text, { env, projectName: 'other' }),
      hashOf(text, { env, portOffset: 1 }),
      hashOf(text, { env, profiles: ['p'] }),
      hashOf(text, { env: { TAG: '2' } }),
    ]);
    assert.equal(new Set(hashes).size, hashes.length);
  });

  it('changes with the contents of configs, secrets and env files', async () => {
    const hashes = await Promise.all([
      hashOf(base),
      hashOf(base, { files: memoryFiles({ ...contents, '/kind/conf': 'two' }) }),
      hashOf(base, { files: memoryFiles({ ...contents, '/kind/e.env': 'E=2' }) }),
      hashOf(base, { env: { KEY: 'other' } }),
    ]);
    assert.equal(new Set(hashes).size, hashes.length);
  });

  it('is taken over JSON with sorted keys and the digests of contents', () => {
    assert.equal(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' }), '{"a":"x","b":[{"c":null,"d":1}]}');
    assert.equal(canonicalJson(Buffer.from('abc')), '{"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}');
  });

  it('changes with the order of what has an order', async () => {
    const db = base.services.db;
    const swapped = { ...base, services: { ...base.services, db: { ...db, command: [...db.command].reverse() } } };
    assert.notEqual(await hashOf(swapped), await hashOf(base));
  });
});

describe("a service's definition", () => {
  const definitions = async (change: Parameters<typeof resolveYaml>[1] = {}, value: unknown = base) => {
    const project = await resolveYaml(JSON.stringify(value), { ...options, ...change });
    return Object.fromEntries(project.services.map((service) => [service.name, definitionHash(project, service)]));
  };
  const withDb = (change: object) => ({ ...base, services: { ...base.services, db: { ...base.services.db, ...change } } });

  it('is the same in every copy, wherever the folder stands', async () => {
    const wanted = await definitions();
    assert.deepEqual(await definitions({ projectName: 'other', portOffset: 100 }), wanted);
    const moved = { '/else/conf': 'one', '/else/e.env': 'E=1', '/else/www': 'directory' };
    const bound = withDb({ volumes: ['./www:/www:ro'] });
    const here = await definitions({ files: memoryFiles({ ...contents, '/kind/www': 'directory' }) }, bound);
    assert.deepEqual(await definitions({ file: '/else/compose.yaml', files: memoryFiles(moved) }, bound), here);
    assert.notEqual(here.db, wanted.db);
    const outside = withDb({ volumes: ['/etc/zone:/z:ro'] });
    const of = (file: string, more: object) => definitions({ file, files: memoryFiles({ ...more, '/etc/zone': '' }) }, outside);
    assert.deepEqual(await of('/a/b/compose.yaml', { '/a/b/conf': 'one', '/a/b/e.env': 'E=1' }), await of('/kind/compose.yaml', contents));
    assert.deepEqual(await definitions({}, withDb({ image: 'mirror/db:1' })), wanted, 'the image is told by its id');
  });

  it('changes with what the service is made from, and with no other service', async () => {
    const wanted = await definitions();
    const volumes = { data: { labels: { l: '2', m: '2' } } };
    const changed = await Promise.all([
      definitions({ files: memoryFiles({ ...contents, '/kind/conf': 'two' }) }),
      definitions({ env: { KEY: 'other' } }),
      definitions({}, withDb({ ports: ['127.0.0.1:8001:82', '8002:81'] })),
      definitions({}, withDb({ container_name: 'named', command: ['run'] })),
      definitions({}, { ...base, volumes }),
    ]);
    for (const { db, web, init } of changed) assert.deepEqual([db === wanted.db, web, init], [false, wanted.web, wanted.init]);
    assert.equal(new Set(changed.map(({ db }) => db)).size, changed.length);
  });
});
