import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveProject } from '../../src/compose/resolve.ts';
import { brace, linesOf, memoryFiles, resolveYaml, service, withService } from './compose-helpers.ts';

describe('a resolved project', () => {
  it('has the names that Compose gives', async () => {
    const { name, file, workingDir, services, networks, volumes } = await resolveYaml(
      withService('volumes: ["data:/data", "other:/other"]', 'volumes: {data: , other: {name: shared}, unused: }\nnetworks: {unused: }'),
    );
    assert.deepEqual([name, file, workingDir], ['prj', '/kind/compose.yaml', '/kind']);
    assert.deepEqual(
      services.map((s) => s.containerName),
      ['prj-a-1'],
    );
    assert.deepEqual(
      networks.map((n) => [n.key, n.name]),
      [['default', 'prj_default']],
    );
    assert.deepEqual(
      volumes.map((v) => [v.key, v.name]),
      [
        ['data', 'prj_data'],
        ['other', 'shared'],
      ],
    );
  });

  it('keeps the services in the order of the file, and where they stand', async () => {
    const { services } = await resolveYaml('services:\n  z: {image: x}\n  a: {image: x}\n');
    assert.deepEqual(
      services.map(({ name, at }) => [name, at]),
      [
        ['z', { file: '/kind/compose.yaml', line: 2, column: 3 }],
        ['a', { file: '/kind/compose.yaml', line: 3, column: 3 }],
      ],
    );
  });

  it('has the project name, not the one in the file', async () => {
    assert.equal((await resolveYaml(`name: other\n${withService('')}`)).name, 'prj');
    assert.equal((await service(`user: ${brace('COMPOSE_PROJECT_NAME')}`)).user, 'prj');
  });

  it('leaves out services without an active profile', async () => {
    const text = `${withService('')}  b: {image: x, profiles: [p, q]}\n  c: {image: x, profiles: [r]}\n`;
    const names = async (profiles: string[]) => (await resolveYaml(text, { profiles })).services.map((s) => s.name);
    assert.deepEqual(await names([]), ['a']);
    assert.deepEqual(await names(['q']), ['a', 'b']);
    assert.deepEqual(await names(['*']), ['a', 'b', 'c']);
    const named = async (COMPOSE_PROFILES: string) => (await resolveYaml(text, { env: { COMPOSE_PROFILES } })).services.map((s) => s.name);
    assert.deepEqual([await named(''), await named('r'), await named(' q, r,')], [['a'], ['a', 'c'], ['a', 'b', 'c']]);
  });

  it('does not look for the files of services without an active profile', async () => {
    const text = `${withService('')}  b: {image: x, profiles: [p], env_file: gone, volumes: ["./gone:/g:ro"], configs: [c]}\nconfigs: {c: {file: gone}}`;
    assert.deepEqual(
      (await resolveYaml(text)).services.map((s) => s.name),
      ['a'],
    );
    await assert.rejects(resolveYaml(text, { profiles: ['p'] }), /\(and 2 more/);
  });

  it('adds the offset to fixed host ports only', async () => {
    const { ports } = await service('ports: ["127.0.0.1:8001:8080", 80]', '', { portOffset: 100 });
    assert.deepEqual(
      ports.map((p) => p.hostPort),
      [8101, null],
    );
  });
});

describe('the address of a published port', () => {
  const entry = `ports: ["\${KIND_BIND:-127.0.0.1}:\${KIND_PORT:-8001}:8080"]`;
  const bound = async (env: Record<string, string>) => (await service(entry, '', { env, portOffset: 100 })).ports;
  const mapping = { containerPort: 8080, protocol: 'tcp', hostPort: 8101 };

  it('may come from a variable, and the offset is added all the same', async () => {
    assert.deepEqual(await bound({}), [{ ...mapping, hostIp: '127.0.0.1' }]);
    assert.deepEqual(await bound({ KIND_BIND: '' }), [{ ...mapping, hostIp: '127.0.0.1' }]);
    assert.deepEqual(await bound({ KIND_BIND: '0.0.0.0', KIND_PORT: '9001' }), [{ ...mapping, hostPort: 9101, hostIp: '0.0.0.0' }]);
    for (const ip of ['10.0.0.5', '::', 'fd00::5']) assert.deepEqual(await bound({ KIND_BIND: ip }), [{ ...mapping, hostIp: ip }]);
    assert.deepEqual(await bound({ KIND_BIND: '[fd00::5]' }), [{ ...mapping, hostIp: 'fd00::5' }]);
  });

  it('may be no host name and nothing else there', async () => {
    for (const wrong of ['localhost', 'db.example', '10.0.0', '10.0.0.5/24', '1:2', '*', ' ']) {
      const lines = await linesOf(withService(entry), { env: { KIND_BIND: wrong } });
      assert.match(lines.join('\n'), /^4:13 services\.a\.ports\[0\]: ".*" is not (an IP address|a port mapping)/, wrong);
    }
  });

  it('is the one of each kind here', async () => {
    for (const [kind, name] of [
      ['etcd', 'ETCD_BIND'],
      ['ratelimiter', 'RATELIMITER_BIND'],
      ['tikv', 'TIKV_BIND'],
    ] as const) {
      const file = fileURLToPath(new URL(`../../subjects/${kind}/compose.yaml`, import.meta.url));
      const addresses = async (env: Record<string, string>) => {
        const { services } = await resolveProject({ file, projectName: kind, env, profiles: ['*'] });
        return [...new Set(services.flatMap((s) => s.ports.map((p) => p.hostIp)))];
      };
      assert.deepEqual(await addresses({}), ['127.0.0.1'], kind);
      assert.deepEqual(await addresses({ [name]: '10.0.0.5' }), ['10.0.0.5'], kind);
    }
  });
});

describe('a resolved service', () => {
  it('has plain values where the file says nothing', async () => {
    const { at: _at, ...plain } = await service('');
    assert.deepEqual(plain, {
      name: 'a',
      containerName: 'prj-a-1',
      image: 'x',
      platform: null,
      command: null,
      entrypoint: null,
      environment: {},
      labels: {},
      user: null,
      workingDir: null,
      hostname: null,
      stopSignal: null,
      stopGraceMs: null,
      init: null,
      tty: false,
      stdinOpen: false,
      readOnly: false,
      capAdd: [],
      capDrop: [],
      securityOpt: [],
      sysctls: {},
      ulimits: [],
      extraHosts: [],
      dns: [],
      shmSizeBytes: null,
      memoryBytes: null,
      cpus: null,
      pidsLimit: null,
      oomScoreAdj: null,
      pullPolicy: 'missing',
      logging: null,
      restart: { policy: 'no', maxRetries: 0 },
      ports: [],
      expose: [],
      mounts: [],
      configs: [],
      secrets: [],
      networks: [{ network: 'default', aliases: ['a'], ipv4: null, ipv6: null }],
      networkMode: null,
      dependsOn: [],
      healthCheck: null,
    });
  });

  it("gives a health check the engine's times where the file has none", async () => {
    const { healthCheck } = await service('healthcheck: {test: "curl -f x || exit 1"}');
    const times = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0, startIntervalMs: null };
    assert.deepEqual(healthCheck, { test: ['CMD-SHELL', 'curl -f x || exit 1'], ...times });
  });

  it('tells a health check that is turned off from none', async () => {
    assert.equal((await service('healthcheck: {disable: true}')).healthCheck, 'disabled');
    assert.equal((await service('healthcheck: {test: NONE}')).healthCheck === 'disabled', false);
    assert.equal((await service('healthcheck: {test: [NONE]}')).healthCheck, 'disabled');
    assert.equal((await service('')).healthCheck, null);
  });

  it('tells an empty command from none', async () => {
    assert.deepEqual((await service('command: ""')).command, []);
    assert.deepEqual((await service('command: []')).command, []);
    assert.equal((await service('command:')).command, null);
  });

  it('takes its variables from env files, then from environment, then from outside', async () => {
    const files = memoryFiles({ '/kind/one.env': 'A=one\nB=one\nC=one\n', '/kind/two.env': 'B=two\nD=$A\n' });
    const { environment } = await service('env_file: [one.env, ./two.env]\nenvironment: {C: three, OUT: , GONE: }', '', {
      files,
      env: { OUT: 'out' },
    });
    assert.deepEqual(environment, { A: 'one', B: 'two', C: 'three', D: 'one', OUT: 'out' });
  });

  it('leaves out a variable that it takes from outside when it is not set there, whatever an env file says', async () => {
    const files = memoryFiles({ '/kind/one.env': 'A=one\nB=one\n' });
    assert.deepEqual((await service('env_file: one.env\nenvironment: [A]', '', { files })).environment, { B: 'one' });
  });

  it('keeps names that JavaScript has a meaning for', async () => {
    const { environment, labels } = await service('environment: {__proto__: a, constructor: b}\nlabels: {__proto__: c}');
    assert.deepEqual(Object.entries(environment), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    assert.deepEqual(Object.entries(labels), [['__proto__', 'c']]);
  });

  it('depends on the service whose network it shares', async () => {
    const { dependsOn, networkMode, networks } = await service('network_mode: service:b', '  b: {image: x}\n');
    assert.deepEqual(dependsOn, [{ service: 'b', condition: 'service_started', required: true }]);
    assert.deepEqual([networkMode, networks], [{ mode: 'service', service: 'b' }, []]);
  });

  it('does not depend on an optional service without an active profile', async () => {
    const keys = 'depends_on: {b: {condition: service_healthy, required: false}}';
    const rest = '  b: {image: x, profiles: [p]}\n';
    assert.deepEqual((await service(keys, rest)).dependsOn, []);
    assert.deepEqual((await service(keys, rest, { profiles: ['p'] })).dependsOn, [
      { service: 'b', condition: 'service_healthy', required: false },
    ]);
  });

  it('has its networks by priority, then by name', async () => {
    const { networks } = await service('networks: {n: , default: , m: {priority: 5}}', 'networks: {n: , m: }');
    assert.deepEqual(
      networks.map((n) => n.network),
      ['m', 'default', 'n'],
    );
  });

  it('always has its own name among its aliases, once', async () => {
    const { networks } = await service('networks: {default: {aliases: [b, a, c, b]}}');
    assert.deepEqual(networks[0]?.aliases, ['a', 'b', 'c']);
  });

  it('gets files with their contents, and where to put them', async () => {
    const rest = `configs:
  text: {content: "port = ${brace('PORT:-80')} $$HOME"}
  script: {file: ./run.sh}
secrets:
  token: {environment: TOKEN}
`;
    const options = { env: { TOKEN: 's3cret' }, files: memoryFiles({ '/kind/run.sh': { executable: '#!/bin/sh $NOT' } }) };
    const found = await service(
      'configs: [text, {source: script, target: /run.sh, uid: "5"}]\nsecrets: [{source: token, target: t, mode: 0400}]',
      rest,
      options,
    );
    const plain = [...found.configs, ...found.secrets].map(({ content, ...file }) => ({ ...file, content: content.toString() }));
    assert.deepEqual(plain, [
      { name: 'text', target: '/text', uid: 0, gid: 0, mode: 0o444, content: 'port = 80 $HOME' },
      { name: 'script', target: '/run.sh', uid: 5, gid: 0, mode: 0o555, content: '#!/bin/sh $NOT' },
      { name: 'token', target: '/run/secrets/t', uid: 0, gid: 0, mode: 0o400, content: 's3cret' },
    ]);
  });

  it('shares the content of a file with the other services that use it: it is read once', async () => {
    let reads = 0;
    const files = memoryFiles({ '/kind/c': 'text' });
    const counting = { ...files, read: (path: string) => files.read(path).finally(() => reads++) };
    await resolveYaml('services: {a: {image: x, configs: [c]}, b: {image: x, configs: [c]}}\nconfigs: {c: {file: c}}', { files: counting });
    assert.equal(reads, 1);
  });

  it('mounts volumes, folders that are there, and memory', async () => {
    const { mounts } = await service(
      'volumes: ["v:/v:ro", /anonymous/, "./conf:/etc/conf:ro"]\ntmpfs: ["/run:size=1m,mode=1777,noexec", /tmp]',
      'volumes: {v: }',
      { files: memoryFiles({ '/kind/conf': 'directory' }) },
    );
    assert.deepEqual(mounts, [
      { type: 'volume', volume: 'v', target: '/v', readOnly: true, noCopy: false },
      { type: 'volume', volume: null, target: '/anonymous', readOnly: false, noCopy: false },
      { type: 'bind', source: '/kind/conf', target: '/etc/conf', readOnly: true },
      { type: 'tmpfs', target: '/run', sizeBytes: 1_048_576, mode: 0o1777 },
      { type: 'tmpfs', target: '/tmp', sizeBytes: null, mode: null },
    ]);
  });

  it('merges anchors as YAML does: what it has itself wins, and of several sources the first', async () => {
    const { services } = await resolveYaml(`x-one: &one {A: one, C: one}
x-two: &two {A: two, B: two}
x-service: &service {image: y, user: other}
services:
  a:
    <<: *service
    user: own
    environment: {<<: [*one, *two], C: own}
`);
    const [found] = services;
    assert.deepEqual([found?.environment, found?.user, found?.image], [{ A: 'one', B: 'two', C: 'own' }, 'own', 'y']);
  });
});
