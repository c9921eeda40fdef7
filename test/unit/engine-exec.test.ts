import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyExec, classifyExecError } from '../../src/engine/exec-result.ts';
import { type ExecStage, PauseGate } from '../../src/engine/pause-gate.ts';
import { EngineError } from '../../src/engine/port.ts';

const at = { op: 'exec', target: 'c' };
const oci = 'OCI runtime exec failed: exec failed: unable to start container process:';
const signal = AbortSignal.timeout(60_000);

describe('what the engine writes instead of a command’s output', () => {
  // Each one as engine 20.10 was seen to write it, 126 throughout.
  const ofTheCommand: [number, string][] = [
    [127, `${oci} exec: "nosuch": executable file not found in $PATH: unknown`],
    [127, `${oci} exec: "/no/such": stat /no/such: no such file or directory: unknown`],
    [126, `${oci} exec: "/etc/passwd": permission denied: unknown`],
    [126, 'unable to find user nobody2: no matching entries in passwd file'],
  ];
  for (const [exitCode, message] of ofTheCommand) {
    it(`is ${exitCode} with the message in stderr: ${message.slice(-60)}`, () => {
      assert.deepEqual(classifyExec(at, { exitCode: 126, stdout: `${message}\r\n`, stderr: '' }), {
        exitCode,
        stdout: '',
        stderr: message,
      });
      const answered = new EngineError('refused', message, { status: 400, ...at });
      assert.deepEqual(classifyExecError(at, answered), { exitCode, stdout: '', stderr: message });
    });
  }

  const ofTheContainer = [
    'cannot exec in a stopped state: unknown',
    'cannot exec in a deleted state: unknown',
    'container is not running',
    'task 3027c5dd33c70b1c not found: not found',
    `${oci} error executing setns process: exit status 1: unknown`,
    `${oci} error writing config to pipe: write init-p: broken pipe: unknown`,
    `${oci} read init-p: connection reset by peer: unknown`,
    `${oci} unable to create new parent process: namespace path: lstat /proc/16674/ns/ipc: no such file or directory: unknown`,
  ];
  for (const message of ofTheContainer) {
    it(`is a conflict: ${message.slice(-60)}`, () => {
      for (const exitCode of [126, 127])
        assert.throws(() => classifyExec(at, { exitCode, stdout: `${message}\r\n`, stderr: '' }), { reason: 'conflict' });
    });
  }

  it('is a conflict when the container’s end took the command with it', () => {
    const gone = new EngineError('not_found', 'No such exec instance: 3a419328987d', { status: 404, ...at });
    assert.throws(() => classifyExecError(at, gone), { reason: 'conflict', status: 404, cause: gone });
    const container = new EngineError('not_found', 'No such container: c', { status: 404, ...at });
    assert.throws(
      () => classifyExecError(at, container),
      (thrown) => thrown === container,
    );
  });

  it('is not seen in a command’s own output', () => {
    for (const result of [
      { exitCode: 127, stdout: 'mine\n', stderr: '' },
      { exitCode: 126, stdout: 'log: OCI runtime exec failed\n', stderr: '' },
      { exitCode: 1, stdout: 'cannot exec in a stopped state', stderr: '' },
    ]) {
      assert.equal(classifyExec(at, result), result);
    }
  });

  it('leaves other errors as they are', () => {
    for (const error of [new EngineError('conflict', 'Container c is not running', { status: 409, ...at }), new Error('x')]) {
      assert.throws(
        () => classifyExecError(at, error),
        (thrown) => thrown === error,
      );
    }
  });
});

describe('the gate between commands and pauses', () => {
  /** A command that ends when told, and whose stage the test sets. */
  function command(gate: PauseGate) {
    const state: { stage: ExecStage; looks: number; end: () => void; fail: (error: Error) => void } = {
      stage: 'not_begun',
      looks: 0,
      end: () => {},
      fail: () => {},
    };
    const ended = gate.command(
      'c',
      signal,
      (watch) =>
        new Promise<void>((resolve, reject) => {
          watch(async () => {
            state.looks++;
            return state.stage;
          });
          state.end = resolve;
          state.fail = reject;
        }),
    );
    return { state, ended };
  }
  const looked = async (state: { looks: number }, times: number) => {
    while (state.looks < times) await new Promise((resolve) => setTimeout(resolve, 1));
  };

  it('holds a pause back while a command is on its way, not while it runs', async () => {
    const gate = new PauseGate();
    const { state, ended } = command(gate);
    let paused = false;
    const pause = gate.pause('c', signal, async () => {
      paused = true;
    });
    await looked(state, 2);
    state.stage = 'begun';
    await looked(state, state.looks + 2);
    assert.equal(paused, false);
    state.stage = 'there_or_over';
    await pause;
    state.end();
    await ended;
  });

  it('holds new commands back while a pause is under way, and no other container’s', async () => {
    const gate = new PauseGate();
    const order: string[] = [];
    let pause: Promise<void> | undefined;
    let release = () => {};
    await new Promise<void>((inside) => {
      pause = gate.pause('c', signal, async () => {
        inside();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        order.push('paused');
      });
    });
    const held = gate.command('c', signal, async () => void order.push('command'));
    await gate.command('d', signal, async () => void order.push('other'));
    release();
    await Promise.all([pause, held]);
    assert.deepEqual(order, ['other', 'paused', 'command']);
  });

  it('looks at a command that was given up half-way, until it has come or cannot', async () => {
    const gate = new PauseGate();
    const { state, ended } = command(gate);
    state.stage = 'begun';
    state.fail(new Error('aborted'));
    await assert.rejects(ended, /aborted/);
    const pause = gate.pause('c', signal, async () => 'paused');
    await looked(state, 3);
    state.stage = 'there_or_over';
    assert.equal(await pause, 'paused');
    const before = state.looks;
    await gate.pause('c', signal, async () => {});
    assert.equal(state.looks, before);

    const never = command(gate);
    never.state.fail(new Error('aborted'));
    await assert.rejects(never.ended);
    await gate.pause('c', signal, async () => {});
  });

  it('lets a pause that waits be given up, and then goes on', async () => {
    const gate = new PauseGate();
    const { state, ended } = command(gate);
    const controller = new AbortController();
    const pause = gate.pause('c', controller.signal, async () => assert.fail('paused'));
    await looked(state, 1);
    controller.abort(new Error('enough'));
    await assert.rejects(pause, /enough/);
    await gate.command('c', signal, async () => {});
    state.end();
    await ended;
  });
});
