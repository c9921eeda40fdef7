import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type PortSpec, parsePort } from '../../src/compose/ports.ts';
import { floatText, resolvePlain } from '../../src/compose/scalar.ts';
import { splitCommand } from '../../src/compose/shell.ts';
import { parseSize } from '../../src/compose/size.ts';
import { suggest } from '../../src/compose/suggest.ts';

describe('a command text', () => {
  const good: [string, string[]][] = [
    ['', []],
    ['  a  b\tc\n d ', ['a', 'b', 'c', 'd']],
    [`sh -c 'a "b" c'`, ['sh', '-c', 'a "b" c']],
    [`"a 'b'" c`, ["a 'b'", 'c']],
    [`--x="two words"y`, ['--x=two wordsy']],
    ['a\\ b \\"c\\"', ['a b', '"c"']],
    [`'a\\b' "a\\b"`, ['a\\b', 'ab']],
    [`"" ''x`, ['', 'x']],
    ['"a && b"', ['a && b']],
    ['$X #y *', ['$X', '#y', '*']],
  ];
  for (const [text, words] of good)
    it(`${JSON.stringify(text)} is ${words.length} words`, () => assert.deepEqual(splitCommand(text), words));

  for (const text of ['a && b', 'a | b', 'a; b', 'a > b', 'a < b', 'a $(b)', 'a `b`', '"a', "a 'b", 'a \\']) {
    it(`${JSON.stringify(text)} is refused`, () => assert.equal(typeof splitCommand(text), 'string'));
  }

  it('of quoted words gives the words back', () => {
    const quoted = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        assert.deepEqual(splitCommand(words.map(quoted).join(' ')), words);
      }),
    );
  });
});

describe('a port entry', () => {
  const one = (containerPort: number, hostPort: number | null, hostIp = '0.0.0.0', protocol: 'tcp' | 'udp' = 'tcp'): PortSpec => ({
    containerPort,
    hostPort,
    hostIp,
    protocol,
  });
  const good: [string, PortSpec[]][] = [
    ['80', [one(80, null)]],
    ['8080:80', [one(80, 8080)]],
    ['127.0.0.1:8001:8080/tcp', [one(8080, 8001, '127.0.0.1')]],
    ['127.0.0.1::53/UDP', [one(53, null, '127.0.0.1', 'udp')]],
    ['[::1]:80:81', [one(81, 80, '::1')]],
    ['::1:80:81', [one(81, 80, '::1')]],
    [':::80:81/udp', [one(81, 80, '::', 'udp')]],
    ['2001:db8::5::81', [one(81, null, '2001:db8::5')]],
    ['1-2', [one(1, null), one(2, null)]],
    ['11-12:1-2/udp', [one(1, 11, '0.0.0.0', 'udp'), one(2, 12, '0.0.0.0', 'udp')]],
    ['0:80', [one(80, null)]],
  ];
  for (const [text, specs] of good) it(`${text} is ${specs.length} mappings`, () => assert.deepEqual(parsePort(text), specs));

  const bad: [string, RegExp][] = [
    ['', /not a port mapping/],
    ['a', /not a container port/],
    ['0', /not a container port/],
    ['65536', /not a container port/],
    ['99999:80', /not a host port/],
    ['2-1', /not a container port/],
    ['1-3:1-2', /differ in number/],
    ['1-2:80', /differ in number/],
    ['1:1-2', /differ in number/],
    ['80/sctp', /protocol sctp is not supported/],
    ['300.1.1.1:80:80', /not an IP address/],
    ['host:80:80', /not an IP address/],
    ['1:2:3:4', /not a port mapping/],
    ['1-1000', /too many/],
    ['80:80:', /not a port mapping/],
  ];
  for (const [text, message] of bad) {
    it(`${JSON.stringify(text)} is refused`, () => {
      const answer = parsePort(text);
      assert.match(typeof answer === 'string' ? answer : JSON.stringify(answer), message);
    });
  }

  it('comes back from the text of its mapping', () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    const ip = fc.oneof(fc.ipV4(), fc.ipV6());
    const protocol = fc.constantFrom('tcp' as const, 'udp' as const);
    const spec = fc.record({ containerPort: port, hostPort: fc.option(port), hostIp: ip, protocol }, { noNullPrototype: true });
    fc.assert(
      fc.property(spec, (wanted) => {
        const { containerPort, hostPort, hostIp, protocol: proto } = wanted;
        const address = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
        assert.deepEqual(parsePort(`${address}:${hostPort ?? ''}:${containerPort}/${proto}`), [wanted]);
      }),
    );
  });

  it('of any text is mappings or a sentence', () => {
    fc.assert(fc.property(fc.string(), (text) => ['string', 'object'].includes(typeof parsePort(text))));
  });
});

describe('a size', () => {
  for (const [text, bytes] of Object.entries({
    0: 0,
    1024: 1024,
    '1k': 1024,
    '1kb': 1024,
    '64M': 67_108_864,
    '1.5g': 1_610_612_736,
    '2 GiB': 2 ** 31,
    '1t': 2 ** 40,
  })) {
    it(`${text} is ${bytes} bytes`, () => assert.equal(parseSize(text), bytes));
  }
  for (const text of ['', 'k', '1x', '-1', '1..5k', '1 k b', '9999999p', '10%'])
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseSize(text), null));
});

describe('an unquoted scalar', () => {
  const cases: [string, unknown, string][] = [
    ['', null, ''],
    ['~', null, ''],
    ['Null', null, ''],
    ['true', true, 'true'],
    ['FALSE', false, 'false'],
    ['yes', 'yes', 'yes'],
    ['on', 'on', 'on'],
    ['0440', 288, '288'],
    ['0o17', 15, '15'],
    ['-0x1F', -31, '-31'],
    ['0b11', 3, '3'],
    ['1_000', 1000, '1000'],
    ['08', 8, '8'],
    ['1.10', 1.1, '1.1'],
    ['1e6', 1e6, '1e+06'],
    ['.5', 0.5, '0.5'],
    ['1.2.3', '1.2.3', '1.2.3'],
    ['12:30', '12:30', '12:30'],
    ['0x', '0x', '0x'],
    ['1__', 1, '1'],
    ['--1', '--1', '--1'],
    ['18446744073709551615', 2 ** 64, '18446744073709551615'],
  ];
  for (const [source, value, text] of cases) {
    it(`${JSON.stringify(source)} is ${JSON.stringify(value)}, as text ${JSON.stringify(text)}`, () => {
      assert.deepEqual(resolvePlain(source), { value, text, odd: false });
    });
  }
  for (const source of ['2024-01-31', '2024-01-31T10:00:00Z', '2024-1-1 10:00:00', '.inf', '-.Inf', '.NaN', '1e999']) {
    it(`${source} is odd`, () => assert.equal(resolvePlain(source).odd, true));
  }

  it('that is a float has a text that reads as the same number', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => Number(floatText(value)) === value));
  });
});

describe('a suggestion', () => {
  it('is the nearest word within two edits', () => {
    assert.equal(suggest('enviroment', ['entrypoint', 'environment']), 'environment');
    assert.equal(suggest('Image', ['image']), 'image');
    assert.equal(suggest('volume', ['volumes', 'volumes_from']), 'volumes');
  });
  it('is none when nothing is near', () => {
    assert.equal(suggest('something', ['image', 'build']), null);
    assert.equal(suggest('x'.repeat(1000), ['image']), null);
    assert.equal(suggest('ab', ['cd']), null);
  });
});
