import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { engine, exited, is, run, signal, sleeper, swept, uniqueName } from './engine-rig.ts';

swept();

describe('files', () => {
  it('are put into a created container with mode and owner, and leave the folders as they are', async () => {
    const id = await engine.createContainer(uniqueName(), sleeper(), signal);
    const file = (path: string, mode: number, uid = 0) => ({ path, content: Buffer.from(path), mode, uid, gid: uid });
    const files = [file('/opt/new/deep/secret', 0o400, 1234), file('/tmp/script', 0o755), file('/var/run/through-link', 0o644)];
    await engine.putFiles(id, files, signal);
    await engine.startContainer(id, signal);
    const paths = ['/opt/new', '/opt/new/deep', '/opt/new/deep/secret', '/tmp', '/tmp/script', '/run/through-link', '/var/run'];
    const { stdout, stderr } = await engine.exec(id, ['stat', '-c', '%a %u:%g %F %n', ...paths], signal);
    assert.equal(stderr, '');
    assert.deepEqual(stdout.trim().split('\n'), [
      '755 0:0 directory /opt/new',
      '755 0:0 directory /opt/new/deep',
      '400 1234:1234 regular file /opt/new/deep/secret',
      '1777 0:0 directory /tmp',
      '755 0:0 regular file /tmp/script',
      '644 0:0 regular file /run/through-link',
      '777 0:0 symbolic link /var/run',
    ]);
    assert.equal((await engine.exec(id, ['cat', '/opt/new/deep/secret'], signal)).stdout, '/opt/new/deep/secret');
  });

  it('for a container that is not there are not_found', async () => {
    await assert.rejects(engine.putFiles('eng-test-nosuch', [], signal), is('not_found'));
  });
});

describe('the log tail', () => {
  it('has the last lines of both streams', async () => {
    const id = await run({ Cmd: ['sh', '-c', 'for i in 1 2 3 4; do echo out $i; done; echo; echo "grüße" >&2; printf unfinished'] });
    await exited(id);
    const lines = await engine.logTail(id, 100, signal);
    // The two streams reach the engine through two pipes, so only the order within one is certain.
    assert.deepEqual(
      lines.filter((line) => line !== 'grüße'),
      ['out 1', 'out 2', 'out 3', 'out 4', '', 'unfinished'],
    );
    assert.ok(lines.includes('grüße'));
    assert.equal((await engine.logTail(id, 2, signal)).length, 2);
    assert.deepEqual(await engine.logTail(id, 0, signal), []);
  });

  it('of a terminal is read raw', async () => {
    const id = await run({ Tty: true, Cmd: ['sh', '-c', 'echo one; echo two >&2'] });
    await exited(id);
    assert.deepEqual(await engine.logTail(id, 10, signal), ['one', 'two']);
  });

  it('is at most 64 KiB, and the last ones', async () => {
    const id = await run({ Cmd: ['sh', '-c', 'seq -f "%0100.0f" 1 5000'] });
    await exited(id);
    const lines = await engine.logTail(id, 5000, signal);
    assert.ok(lines.join('').length <= 64 * 1024);
    assert.equal(Number(lines.at(-1)), 5000);
    assert.equal(lines.length, Math.floor((64 * 1024) / 100));
  });

  it('of a container that never started is empty', async () => {
    assert.deepEqual(await engine.logTail(await engine.createContainer(uniqueName(), sleeper(), signal), 10, signal), []);
  });
});
