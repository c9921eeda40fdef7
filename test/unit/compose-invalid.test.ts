import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { resolveText } from '../../src/compose/resolve.ts';
import { Problem } from '../../src/lib/problem.ts';
import { brace, issuesOf, linesOf, memoryFiles, resolveYaml, withService } from './compose-helpers.ts';

const a = (keys: string, rest = '') => withService(keys, rest);

describe('a refused file', () => {
  it('tells all findings at once, in the order of the file', async () => {
    const text = `services:
  a:
    build: .
    image: x
    ports: ["70000", "1:1"]
    user: $WHO
    volumes: ["./d:/d"]
  b:
    image: x
    depends_on: [c]
    tty: perhaps
`;
    const places = (await issuesOf(text)).map(({ line, column, path }) => `${line}:${column} ${path}`);
    assert.deepEqual(places, [
      '3:5 services.a.build',
      '5:13 services.a.ports[0]',
      '6:11 services.a.user',
      '7:15 services.a.volumes[0]',
      '10:18 services.b.depends_on[0]',
      '11:10 services.b.tty',
    ]);
  });

  it('names the file, the first place and the number of the others in its sentence', async () => {
    await assert.rejects(resolveYaml(a('tty: 5\nuser: 5')), (error) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.status, 422);
      assert.equal(error.message, 'compose.yaml:4:10: services.a.tty: must be true or false (and 1 more, see issues)');
      return true;
    });
  });

  it('has the place in an env file that is wrong', async () => {
    const issues = await issuesOf(a('env_file: e.env'), { files: memoryFiles({ '/kind/e.env': 'A=1\nB C=2\nD="x\n' }) });
    assert.deepEqual(
      issues.map(({ file, line }) => [file, line]),
      [
        ['/kind/e.env', 2],
        ['/kind/e.env', 3],
      ],
    );
  });

  it('is one whose host port leaves the range with the offset', async () => {
    const lines = await linesOf(a('ports: ["127.0.0.1:60000:80", 81]'), { portOffset: 10_000 });
    assert.deepEqual(lines, [
      '4:13 services.a.ports[0]: the host port 60000 with the offset 10000 is 70000; choose a port or an offset that stays within 1 to 65535',
    ]);
  });

  it('is one that its aliases blow up', async () => {
    const bomb = [
      'x-0: &x0 [a, a, a, a, a, a, a, a, a, a]',
      ...Array.from({ length: 9 }, (_, i) => `x-${i + 1}: &x${i + 1} [${Array(10).fill(`*x${i}`).join(', ')}]`),
    ];
    assert.match((await linesOf(`${bomb.join('\n')}\nservices: {a: {image: x}}`)).join('\n'), /expands to more than 100000 values/);
  });

  it('is one that is nested too deeply, or too large', async () => {
    assert.match((await linesOf(`x-a: ${'['.repeat(60)}${']'.repeat(60)}`)).join('\n'), /nested more than 50 levels/);
    for (const deep of ['['.repeat(20_000), '{a: '.repeat(20_000), '- '.repeat(20_000)])
      assert.match((await linesOf(deep)).join('\n'), /nested too deeply/);
    assert.match((await linesOf(`#${'x'.repeat(2 ** 20)}`)).join('\n'), /larger than/);
  });

  it('has a project name that Compose takes', async () => {
    for (const projectName of ['', 'A', '-a', 'a b', '../a', 'a;b']) {
      await assert.rejects(resolveYaml(a(''), { projectName }), (error) => error instanceof Problem && error.code === 'invalid_request');
    }
  });
});

describe('the resolver on any text', () => {
  const options = { file: '/kind/compose.yaml', projectName: 'prj', env: {}, files: memoryFiles() };
  const survives = async (text: string) => {
    try {
      await resolveText(text, options);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      assert.equal(error.code, 'compose_invalid');
      const issues = error.extra.issues as { line: number; column: number; message: string }[];
      assert.ok(issues.length > 0 && issues.every(({ line, column, message }) => line >= 1 && column >= 1 && message !== ''));
    }
  };

  it('throws nothing but a Problem with places', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), survives), { numRuns: 300 });
  });

  it('throws nothing but a Problem on pieces of YAML', async () => {
    const piece = fc.constantFrom(
      'services',
      'image',
      'a',
      ':',
      ' ',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '&a',
      '*a',
      '<<',
      '!!str',
      '!reset',
      '"',
      "'",
      '|',
      '>',
      '$',
      '${',
      '#',
      '---',
      '?',
      '0440',
      '~',
      '\t',
      '%',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 60 }), (pieces) => survives(pieces.join(''))),
      { numRuns: 500 },
    );
  });

  it('throws nothing but a Problem when the parts of a file are swapped about', async () => {
    const keys = [
      'image',
      'command',
      'ports',
      'volumes',
      'networks',
      'depends_on',
      'healthcheck',
      'environment',
      'env_file',
      'ulimits',
      'configs',
      'secrets',
      'tmpfs',
      'labels',
      'logging',
      'extra_hosts',
      'network_mode',
      'profiles',
      'expose',
      'sysctls',
      'dns',
      'restart',
      'build',
      'cpus',
      'driver_opts',
      'ipam',
      'external',
      'file',
      'content',
      'test',
      'source',
      'target',
      'type',
      '__proto__',
    ];
    const leaf = fc.oneof(
      fc.constantFrom(
        null,
        true,
        0,
        -1,
        1e99,
        '',
        'a',
        'n:/x',
        './x:/y:ro',
        '80:80',
        '$X',
        brace('X:-y'),
        'service:a',
        'CMD',
        '10.0.0.0/8',
      ),
      fc.string(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 6 }),
      ),
    }));
    const services = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.dictionary(fc.constantFrom(...keys), tree, { maxKeys: 8 }));
    const sections = fc.dictionary(
      fc.constantFrom('networks', 'volumes', 'configs', 'secrets'),
      fc.dictionary(fc.constantFrom('a', 'n'), tree),
    );
    await fc.assert(
      fc.asyncProperty(services, sections, (s, rest) => survives(JSON.stringify({ services: s, ...rest }))),
      { numRuns: 200 },
    );
  });
});
