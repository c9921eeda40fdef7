import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseDockerHost } from '../../src/engine/connection.ts';
import { withTag } from '../../src/engine/images.ts';
import { containerPath, imagePath, isAbout, networkPath, volumePath } from '../../src/engine/paths.ts';
import { EngineError } from '../../src/engine/port.ts';

const at = (target: string) => ({ op: 'test', target });
const notFound = (error: unknown) => error instanceof EngineError && error.reason === 'not_found';

describe('DOCKER_HOST', () => {
  it('names a socket, a host, or nothing', () => {
    assert.deepEqual(parseDockerHost(undefined), { socketPath: '/var/run/docker.sock' });
    assert.deepEqual(parseDockerHost(''), { socketPath: '/var/run/docker.sock' });
    assert.deepEqual(parseDockerHost('unix:///run/user/1/docker.sock'), { socketPath: '/run/user/1/docker.sock' });
    assert.deepEqual(parseDockerHost('tcp://10.0.0.1:2376'), { hostname: '10.0.0.1', port: 2376 });
    assert.deepEqual(parseDockerHost('tcp://engine'), { hostname: 'engine', port: 2375 });
    assert.deepEqual(parseDockerHost('http://engine/'), { hostname: 'engine', port: 80 });
    assert.deepEqual(parseDockerHost('tcp://[::1]:2375'), { hostname: '::1', port: 2375 });
  });

  it('is refused with what is accepted when it is anything else', () => {
    for (const value of [
      'ssh://root@host',
      'https://host:2376',
      'npipe:////./pipe/x',
      'host:2375',
      'tcp://host:99999',
      'tcp://host/prefix',
      '/run/x.sock',
    ]) {
      assert.throws(() => parseDockerHost(value), /DOCKER_HOST .* cannot be used: it must be unix:/);
    }
  });
});

describe('a path to the engine', () => {
  it('never leaves its own place, whatever the name', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '.', '..', '../x', 'a/../b', '%2e%2e', 'x?y', 'x#y', '\ud800')),
        (name) => {
          for (const [make, prefix] of [
            [containerPath, '/containers/'],
            [volumePath, '/volumes/'],
            [networkPath, '/networks/'],
            [imagePath, '/images/'],
          ] as const) {
            try {
              const path = make(at(name));
              const url = new URL(path, 'http://engine');
              assert.equal(url.pathname, path);
              assert.ok(path.startsWith(prefix) && path.length > prefix.length);
            } catch (error) {
              if (!notFound(error)) throw error;
            }
          }
        },
      ),
    );
  });

  it('takes the names that are used', () => {
    assert.equal(containerPath(at('tikv-pd0-1')), '/containers/tikv-pd0-1');
    assert.equal(networkPath(at('my net')), '/networks/my%20net');
    assert.equal(imagePath(at('reg.example:5000/a/b:1')), '/images/reg.example%3A5000/a/b%3A1');
    assert.equal(imagePath(at(`sha256:${'a'.repeat(64)}`)), `/images/sha256%3A${'a'.repeat(64)}`);
  });
});

describe('an answer', () => {
  const id = 'cafe'.repeat(16);
  it('is about the name or id asked for, not about an id that begins like the name', () => {
    assert.equal(isAbout('cafe', { id, name: 'other' }), false);
    assert.equal(isAbout('cafe', { id, name: 'cafe' }), true);
    assert.equal(isAbout(id, { id, name: 'other' }), true);
    assert.equal(isAbout(id.slice(0, 12), { id, name: 'other' }), true);
    assert.equal(isAbout(id.slice(0, 11), { id, name: 'other' }), false);
  });
});

describe('a pull', () => {
  it('asks for one tag, never for all of them', () => {
    assert.equal(withTag('redis'), 'redis:latest');
    assert.equal(withTag('reg:5000/redis'), 'reg:5000/redis:latest');
    assert.equal(withTag('reg:5000/redis:8'), 'reg:5000/redis:8');
    assert.equal(withTag('redis@sha256:ab'), 'redis@sha256:ab');
  });
});
