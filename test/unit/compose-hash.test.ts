import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../src/compose/hash.ts';
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
