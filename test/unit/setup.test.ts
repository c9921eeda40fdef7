import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';

interface Entry {
  name: string;
  reason: string;
}
interface Tally {
  passed: number;
  failures: Entry[];
  notRun: Entry[];
  check(name: string, ok: boolean, reason?: string): void;
  process(name: string, records: object[], ended: { code: number | null; signal: string | null; timedOut: boolean }): void;
  unittest(name: string, output: string, code: number): void;
  goTest(name: string, events: Json[], code: number): void;
  summary(): string[];
}
interface Image {
  tag: string;
  base: string;
  after?: string;
}
type Json = Record<string, unknown>;

// The set-up is plain JavaScript, since it runs before any module is installed; here is what the tests use of it.
const load = async <T>(file: string): Promise<T> => (await import(new URL(`../../scripts/${file}`, import.meta.url).href)) as T;
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
interface Chosen {
  stage: string;
  files?: string[];
}
const { choose, lanesOf } = await load<{
  choose(args: string[], directory?: string): Chosen[];
  lanesOf(chosen: Chosen[]): Chosen[][][];
}>('test/arguments.mjs');
const { Tally } = await load<{ Tally: new () => Tally }>('test/tally.mjs');
const { toRecord } = await load<{ toRecord(type: string, data: Json): Json | undefined }>('test/reporter.mjs');
const { testEnvironment } = await load<{ testEnvironment(env: Json, programs?: Json): Json }>('test/environment.mjs');
const { elapsed } = await load<{ elapsed(ms: number): string }>('setup/progress.mjs');

function withFolder<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'subjectd-setup-'));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

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
    await assert.rejects(preflight({ SUBJECTD_HOST: '192.0.2.1', SUBJECTD_PORT: '0' }), /no address 192\.0\.2\.1/);
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

describe('what npm test runs', () => {
  const inTree = <T>(work: (directory: string) => T) =>
    withFolder((directory) => {
      mkdirSync(join(directory, 'test/e2e/deep'), { recursive: true });
      writeFileSync(join(directory, 'test/e2e/b.test.ts'), '');
      writeFileSync(join(directory, 'test/e2e/deep/a.test.ts'), '');
      writeFileSync(join(directory, 'test/e2e/helper.ts'), '');
      return work(directory);
    });

  it('is everything without arguments, and the named stages in their order', () => {
    assert.deepEqual(
      choose([]).map(({ stage }) => stage),
      ['types', 'lint', 'openapi', 'unit', 'contract', 'python', 'agent', 'e2e'],
    );
    assert.deepEqual(choose(['e2e', 'types']), [{ stage: 'types' }, { stage: 'e2e' }]);
  });
  it('is a file or the test files of a folder', () => {
    inTree((directory) => {
      assert.deepEqual(choose(['test/e2e/b.test.ts'], directory), [{ stage: 'e2e', files: ['test/e2e/b.test.ts'] }]);
      assert.deepEqual(choose(['test/e2e'], directory), [{ stage: 'e2e', files: ['test/e2e/b.test.ts', 'test/e2e/deep/a.test.ts'] }]);
      assert.deepEqual(choose(['e2e', 'test/e2e/b.test.ts'], directory), [{ stage: 'e2e' }]);
    });
  });
  it('runs each chosen stage once, python beside those before it, and what is tightly timed alone', () => {
    const all = choose([]);
    const stages = (lanes: Chosen[][]) => lanes.map((lane) => lane.map(({ stage }) => stage));
    assert.deepEqual(lanesOf(all).map(stages), [[['types', 'lint', 'openapi', 'unit', 'contract'], ['python']], [['agent']], [['e2e']]]);
    fc.assert(
      fc.property(fc.subarray(all), (some) => {
        const groups = lanesOf(some);
        assert.deepEqual(groups.flat(2), some);
        assert(groups.flat().every((lane) => lane.length > 0));
        for (const lanes of groups.filter((group) => group.flat().some(({ stage }) => stage === 'agent' || stage === 'e2e')))
          assert.equal(lanes.flat().length, 1);
      }),
    );
  });
  it('refuses a word that is neither', () => {
    inTree((directory) => {
      for (const word of ['nothing', 'test/e2e/none.test.ts', '../x', 'src'])
        assert.throws(() => choose([word], directory), /neither a stage/);
    });
  });
});

describe('the count', () => {
  const good = { code: 0, signal: null, timedOut: false };
  const end = { kind: 'end' };
  const count = (records: object[], ended: { code: number | null; signal: string | null; timedOut: boolean }) => {
    const tally = new Tally();
    tally.process('f', records, ended);
    return tally;
  };

  it('adds passes and failures, and names what was skipped with its reason', () => {
    const records = [
      { kind: 'pass', name: 'a' },
      { kind: 'fail', name: 'b', reason: 'why\nmore' },
      { kind: 'skip', name: 'c', reason: '' },
      end,
    ];
    const tally = count(records, { ...good, code: 1 });
    assert.equal(tally.passed, 1);
    const lines = tally.summary();
    assert.equal(lines.at(-1), '1 passed, 1 failed');
    assert.ok(lines.includes('  - f: b: why'));
    assert.ok(lines.indexOf('not run here:') < lines.indexOf('  - f: c: no reason given'));
  });
  it('loses no failure of a process that crashed, hung, was killed, stopped early, failed silently or tested nothing', () => {
    const pass = { kind: 'pass', name: 'a' };
    for (const [records, ended] of [
      [[pass], { ...good, code: 1 }],
      [[pass], good],
      [[pass, end], { ...good, code: 7 }],
      [[pass, end], { ...good, timedOut: true }],
      [[pass, end], { code: null, signal: 'SIGSEGV', timedOut: false }],
      [[end], good],
      [[], good],
    ] as const) {
      assert.equal(count([...records], ended).failures.length, 1, JSON.stringify([records, ended]));
    }
    assert.equal(count([pass, end], good).failures.length, 0);
  });
  it('counts tests and not suites, except a suite that fails by itself', () => {
    const suite = (error?: Json) => ({ name: 's', details: { type: 'suite', error } });
    assert.equal(toRecord('test:pass', suite()), undefined);
    assert.equal(toRecord('test:fail', suite({ failureType: 'subtestsFailed' })), undefined);
    assert.equal(toRecord('test:fail', suite({ failureType: 'hookFailed', message: 'm' }))?.kind, 'fail');
    assert.deepEqual(toRecord('test:pass', { name: 't', skip: 'no X' }), { kind: 'skip', name: 't', reason: 'no X' });
    assert.equal(toRecord('test:pass', { ...suite(), skip: true })?.kind, 'skip');
    assert.equal(toRecord('test:fail', { name: 't', todo: 'later', details: {} })?.kind, 'skip');
    assert.deepEqual(toRecord('test:fail', { name: 't', details: { error: { message: 'outer', cause: { message: 'inner' } } } }), {
      kind: 'fail',
      name: 't',
      reason: 'inner',
    });
  });
  it('reads what unittest prints', () => {
    const tally = new Tally();
    const output = `test_a (tests.test_x.A.test_a) ... ok
test_b (tests.test_x.A.test_b)
Described. ... FAIL
test_c (tests.test_x.A.test_c) ... skipped 'no service'
FAIL: test_b (tests.test_x.A.test_b)
Ran 3 tests in 0.1s
FAILED (failures=1, skipped=1)`;
    tally.unittest('py', output, 1);
    assert.equal(tally.summary().at(-1), '1 passed, 1 failed');
    assert.deepEqual(tally.notRun, [{ name: 'py: test_c', reason: 'no service' }]);
    assert.match(tally.failures[0]?.name ?? '', /test_b/);
  });
  it('counts a test that fails in several sub-tests once against the passes, and every failure', () => {
    const tally = new Tally();
    tally.unittest('py', "FAIL: test_b (x.A.test_b) (n='1')\nFAIL: test_b (x.A.test_b) (n='2')\nRan 3 tests in 1s\nFAILED (failures=2)", 1);
    assert.equal(tally.summary().at(-1), '2 passed, 2 failed');
  });
  it('reads the events of Go tests: a test within a test fails instead of its parent', () => {
    const tally = new Tally();
    const event = (Action: string, Test?: string, Output?: string): Json => ({ Action, Package: 'p', Test, Output });
    const events = [
      event('pass', 'A/one'),
      event('pass', 'A'),
      event('output', 'B/one', '    b_test.go:7: 1 instead of 2\n'),
      event('output', 'B/one', '--- FAIL: B/one (0.00s)\n'),
      event('fail', 'B/one'),
      event('fail', 'B'),
      event('output', 'C', '    c_test.go:3: no netem\n'),
      event('skip', 'C'),
      event('fail'),
    ];
    tally.goTest('go', events, 1);
    assert.equal(tally.summary().at(-1), '1 passed, 1 failed');
    assert.deepEqual(tally.failures, [{ name: 'go: p B/one', reason: 'b_test.go:7: 1 instead of 2' }]);
    assert.deepEqual(tally.notRun, [{ name: 'go: p C', reason: 'c_test.go:3: no netem' }]);
  });
  it('loses no failure of Go tests that did not compile, died, or were never begun', () => {
    const pass = { Action: 'pass', Package: 'p', Test: 'A' };
    for (const [events, code] of [
      [[], 1],
      [[], 0],
      [[pass], 2],
      [[pass, { Action: 'fail', Package: 'q' }], 1],
    ] as const) {
      const tally = new Tally();
      tally.goTest('go', [...events], code);
      assert.equal(tally.failures.length, 1, JSON.stringify(events));
    }
  });
  it('loses no failure of a unittest that crashed, found nothing, or failed silently', () => {
    for (const [output, code] of [
      ['Traceback', 1],
      ['Ran 0 tests in 0.0s\nOK', 0],
      ['Ran 0 tests in 0.0s\nNO TESTS RAN', 5],
      ['Ran 2 tests in 0.0s\nOK', 3],
    ] as const) {
      const tally = new Tally();
      tally.unittest('py', output, code);
      assert.equal(tally.failures.length, 1, output);
    }
  });
});

it('tests run beside a service in use: own names and ports, stand-ins, none of its settings', () => {
  const env = testEnvironment({ PATH: '/bin', SUBJECTD_PORT: '9', SUBJECTD_TOKEN: 'x', PD_IMAGE: 'mine' }, { chromium: '/c' });
  assert.deepEqual(env, {
    PATH: '/bin',
    SUBJECTD_PROJECT_PREFIX: 't-',
    SUBJECTD_PORT_OFFSET: '5000',
    PD_IMAGE: 'subjectd-standin/pd:test',
    TIKV_IMAGE: 'subjectd-standin/tikv:test',
    CHROMIUM: '/c',
  });
});

it('elapsed time is told in the unit that fits it', () => {
  assert.deepEqual([40, 9_949, 9_960, 61_000].map(elapsed), ['0.0 s', '9.9 s', '10 s', '1 min 1 s']);
});
