import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { hostAllowed } from '../../src/http/host.ts';
import { readSettings, settingDefaults } from '../../src/settings.ts';

const read = (env: Record<string, string>) => readSettings(env, '/root-of-it');

describe('settings', () => {
  test('without any, it listens on loopback only', () => {
    const settings = read({});
    assert.deepEqual([settings.host, settings.port, settings.token, settings.dataDir], ['127.0.0.1', 8080, null, '/root-of-it/.data']);
  });

  test('off loopback without a token it refuses to start', () => {
    assert.throws(() => read({ SUBJECTD_HOST: '0.0.0.0' }), /SUBJECTD_TOKEN/);
    assert.throws(() => read({ SUBJECTD_HOST: '192.168.1.5' }), /SUBJECTD_TOKEN/);
    assert.throws(() => read({ SUBJECTD_HOST: '0.0.0.0', SUBJECTD_TOKEN: 'short' }), /16 characters/);
    assert.equal(read({ SUBJECTD_HOST: '0.0.0.0', SUBJECTD_TOKEN: 'a-long-enough-token' }).host, '0.0.0.0');
  });

  test('an unknown SUBJECTD_ name is an error that lists the known ones', () => {
    assert.throws(() => read({ SUBJECTD_PROT: '1' }), /Unknown setting SUBJECTD_PROT.*SUBJECTD_PORT/);
  });

  test('a value out of range names its variable', () => {
    assert.throws(() => read({ SUBJECTD_PORT: '70000' }), /SUBJECTD_PORT must be an integer from 0 to 65535/);
    assert.throws(() => read({ SUBJECTD_PORT: '80a' }), /SUBJECTD_PORT/);
    assert.throws(() => read({ SUBJECTD_PORT: '-1' }), /SUBJECTD_PORT/);
    assert.throws(() => read({ SUBJECTD_NICE: '-21' }), /SUBJECTD_NICE must be an integer from -20 to 19/);
    assert.equal(read({ SUBJECTD_NICE: '-20' }).nice, -20);
    assert.throws(() => read({ SUBJECTD_PROJECT_PREFIX: '../x' }), /SUBJECTD_PROJECT_PREFIX/);
    assert.throws(() => read({ SUBJECTD_LOG_LEVEL: 'loud' }), /SUBJECTD_LOG_LEVEL/);
    assert.throws(() => read({ SUBJECTD_SUBNET_POOL: '10.0.0.0/28' }), /SUBJECTD_SUBNET_POOL/);
  });

  test('an allowed host is what a Host header can be, no URL and no pattern', () => {
    for (const wrong of ['http://x', 'x/', 'x:y', 'x:0', 'x:65536', '*', '*.lab.example', '::1', '[::g]', '-x', 'bücher.example']) {
      assert.throws(
        () => read({ SUBJECTD_ALLOWED_HOSTS: `lab.example,${wrong}` }),
        (error: Error) =>
          error.message.startsWith('SUBJECTD_ALLOWED_HOSTS must be host names') && error.message.includes(JSON.stringify(wrong)),
        wrong,
      );
    }
    const right = ['lab', 'Lab.example', 'lab.example.', 'my_lab:8080', '10.0.0.7', '10.0.0.7:80', '[fd00::1]', '[fd00::1]:65535'];
    assert.deepEqual(read({ SUBJECTD_ALLOWED_HOSTS: right.join(', ') }).allowedHosts, right);
    assert.ok(right.every((entry) => hostAllowed(entry, right)));
  });

  test('the README lists each setting with its default, and no other', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const listed = new Map(
      [...readme.matchAll(/^\| `(SUBJECTD_[A-Z_]+)` \| ([^|]*) \|/gm)].map((m) => [m[1], m[2]?.trim().replaceAll('`', '') ?? '']),
    );
    const expected = new Map(
      Object.entries(settingDefaults).map(([name, value]) => [name, value === null || value === '' ? 'none' : value]),
    );
    assert.deepEqual(Object.fromEntries([...listed].sort()), Object.fromEntries([...expected].sort()));
  });

  test('an advertised host is a name or an address, and nothing more', () => {
    for (const wrong of ['http://lab.example', 'lab.example:8080', 'a b', '[::1', '*', '[::1]:80']) {
      assert.throws(
        () => read({ SUBJECTD_ADVERTISE_HOST: wrong }),
        (error: Error) => error.message.startsWith('SUBJECTD_ADVERTISE_HOST must be') && error.message.includes(JSON.stringify(wrong)),
      );
    }
    const taken = (given: string) => read({ SUBJECTD_ADVERTISE_HOST: given }).advertiseHost;
    assert.deepEqual(['lab.example', '192.0.2.1', '2001:db8::1', '[2001:db8::1]', ''].map(taken), [
      'lab.example',
      '192.0.2.1',
      '2001:db8::1',
      '2001:db8::1',
      null,
    ]);
  });
});
