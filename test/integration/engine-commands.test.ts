import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { deadline, until } from '../../src/lib/until.ts';
import { engine, exited, is, run, signal, swept } from './engine-rig.ts';

swept();

describe('a command in a container', () => {
  let id: string;
  before(async () => {
    id = await run();
  });

  it('gives its exit code and both outputs', async () => {
    const result = await engine.exec(id, ['sh', '-c', 'echo out; echo "fehler: ü" >&2; exit 3'], signal);
    assert.deepEqual(result, { exitCode: 3, stdout: 'out\n', stderr: 'fehler: ü\n' });
  });

  it('runs as the user and with the variables asked for, its arguments untouched by any shell', async () => {
    const options = { user: '1234:4321', env: { GREETING: 'a b=c' } };
    assert.equal((await engine.exec(id, ['sh', '-c', 'id -u; id -g; echo "$GREETING"'], signal, options)).stdout, '1234\n4321\na b=c\n');
    assert.equal((await engine.exec(id, ['printf', '%s', '$(id); "x" *'], signal)).stdout, '$(id); "x" *');
  });

  it('that is missing is 127, that cannot be executed is 126, with the reason in stderr', async () => {
    const missing = await engine.exec(id, ['nosuch'], signal);
    assert.deepEqual([missing.exitCode, missing.stdout], [127, '']);
    assert.match(missing.stderr, /executable file not found/);
    const plain = await engine.exec(id, ['/etc/passwd'], signal);
    assert.deepEqual([plain.exitCode, plain.stdout], [126, '']);
    assert.match(plain.stderr, /permission denied/);
  });

  it('keeps 126 and 127 of its own', async () => {
    assert.deepEqual(await engine.exec(id, ['sh', '-c', 'echo mine; exit 127'], signal), { exitCode: 127, stdout: 'mine\n', stderr: '' });
  });

  it('has each output cut at the limit and still runs to its end', async () => {
    const script = 'head -c 3000000 /dev/zero | tr "\\0" x; head -c 3000000 /dev/zero | tr "\\0" y >&2; exit 5';
    const small = await engine.exec(id, ['sh', '-c', script], signal, { maxBytes: 1000 });
    assert.deepEqual(small, { exitCode: 5, stdout: 'x'.repeat(1000), stderr: 'y'.repeat(1000) });
    const usual = await engine.exec(id, ['sh', '-c', script], signal);
    assert.deepEqual([usual.stdout.length, usual.stderr.length], [256 * 1024, 256 * 1024]);
  });

  it('is waited for when it closes its outputs before its end', async () => {
    assert.equal((await engine.exec(id, ['sh', '-c', 'exec >&- 2>&-; sleep 1; exit 9'], signal)).exitCode, 9);
  });

  it('whose signal aborts throws the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('no more');
    const asked = engine.exec(id, ['sh', '-c', 'touch /tmp/begun; sleep 4242'], controller.signal);
    const begun = async (inner: AbortSignal) =>
      (await engine.exec(id, ['test', '-e', '/tmp/begun'], inner)).exitCode === 0 ? true : undefined;
    await until(begun, 50, signal);
    controller.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
  });

  it('in a paused or stopped container is a conflict, in none not_found', async () => {
    const other = await run();
    await engine.pauseContainer(other, signal);
    await assert.rejects(engine.exec(other, ['true'], signal), is('conflict'));
    await engine.killContainer(other, 'SIGKILL', signal);
    await exited(other);
    await assert.rejects(engine.exec(other, ['true'], signal), is('conflict'));
    await assert.rejects(engine.exec('eng-test-nosuch', ['true'], signal), is('not_found'));
  });

  it('ends with its container, or was never started: never with success, never with 126', async () => {
    const other = await run();
    const asked = Array.from({ length: 4 }, () =>
      engine.exec(other, ['sleep', '60'], signal).then(
        (result) => assert.equal(result.exitCode, 137),
        (error: unknown) => is('conflict')(error),
      ),
    );
    await engine.killContainer(other, 'SIGKILL', signal);
    await Promise.all(asked);
  });

  it('never freezes half-way: a container paused under fire can be inspected, unpaused and removed', async () => {
    for (let round = 0; round < 5; round++) {
      const other = await run({ HostConfig: { NetworkMode: 'none' } });
      const fire = Array.from({ length: 6 }, () => engine.exec(other, ['true'], signal).catch((error: unknown) => is('conflict')(error)));
      await engine.pauseContainer(other, signal);
      using limit = deadline('the engine answers about a paused container', 30_000, signal);
      assert.equal((await engine.inspectContainer(other, limit))?.state, 'paused');
      await engine.unpauseContainer(other, limit);
      await engine.removeContainer(other, limit);
      await Promise.all(fire);
    }
  });

  it('can run in twenty calls at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => engine.exec(id, ['sh', '-c', `echo ${i}; exit ${i}`], signal)));
    assert.deepEqual(
      all,
      Array.from({ length: 20 }, (_, i) => ({ exitCode: i, stdout: `${i}\n`, stderr: '' })),
    );
  });
});
