import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pino } from 'pino';
import { type ControlHandle, createControl } from '../../src/control/create.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { newId } from '../../src/lib/id.ts';
import { deadline, pause, until } from '../../src/lib/until.ts';
import { parseRange, type Range } from '../../src/reset/subnet.ts';
import { ToolboxError } from '../../src/toolbox/port.ts';
import { ResidentToolbox } from '../../src/toolbox/resident.ts';
import { docker, root, testEnv } from './service.ts';

const name = `${testEnv.SUBJECTD_PROJECT_PREFIX}toolbox`;
const image = 'subjectd/toolbox:1';
const engineSocket = '/var/run/docker.sock';

/** A toolbox of these tests' own, which they may stop, kill and replace: the engine's one serves others. */
describe('the toolbox', () => {
  const engine = createEngine();
  const opened: ResidentToolbox[] = [];
  const open = (over: { image?: string; owner?: string } = {}) => {
    const toolbox = new ResidentToolbox(engine, { image: over.image ?? image, engineSocket, name }, over.owner ?? newId('own'));
    opened.push(toolbox);
    return toolbox;
  };
  const id = () => docker('inspect', '--format', '{{.Id}}', name);
  const remove = () => {
    if (docker('ps', '-aq', '--filter', `name=^${name}$`) !== '') docker('rm', '-f', name);
    if (docker('volume', 'ls', '-q', '--filter', `name=^${name}$`) !== '') docker('volume', 'rm', name);
  };
  const ask = async (toolbox: ResidentToolbox) => {
    using limited = deadline('the toolbox', 30_000);
    return toolbox.call('owners', {}, limited);
  };
  before(remove);
  after(async () => {
    for (const toolbox of opened) toolbox.close();
    remove();
    await engine.close();
  });

  test('is one, however many ask for it at once', async () => {
    const all = [open(), open(), open()];
    const answers = await Promise.all(all.map(ask));
    assert.equal(docker('ps', '-aq', '--filter', `name=^${name}$`).split('\n').length, 1);
    assert.ok(answers.every((a) => a.owners.length >= 1));
    const { owners } = await ask(all[0] as ResidentToolbox);
    assert.equal(owners.filter((o) => o.live).length, 3);
  });

  test('needs nothing but the engine’s socket: no network, no privileged mode', () => {
    const [made] = JSON.parse(docker('inspect', name)) as [{ HostConfig: Record<string, unknown> }];
    assert.deepEqual([made.HostConfig.NetworkMode, made.HostConfig.Privileged, made.HostConfig.ReadonlyRootfs], ['none', false, true]);
  });

  test('an owner is live until a few seconds after its last session', async () => {
    const owner = newId('own');
    const [first, second, watcher] = [open({ owner }), open({ owner }), open()];
    await Promise.all([ask(first), ask(second)]);
    const live = async () => (await ask(watcher)).owners.find((o) => o.owner === owner)?.live;
    first.close();
    assert.equal(await live(), true);
    second.close();
    using limited = deadline('the owner’s end', 15_000);
    await until(async () => ((await live()) === false ? true : undefined), 200, limited);
  });

  test('a device that a service made and died before the engine had it is swept; a live service’s is not', async () => {
    const [dying, living] = [open(), open()];
    using limited = deadline('volumes', 40_000);
    const make = (toolbox: ResidentToolbox, volume: string) =>
      toolbox.call('volume.create', { volume, bytes: 16 * 1024 * 1024, uid: 0, gid: 0, mode: '755' }, limited);
    const [orphan, kept] = [`${name}-orphan`, `${name}-kept`];
    await Promise.all([make(dying, orphan), make(living, kept)]);
    dying.close();
    const left = async () => {
      await living.call('sweep', {}, limited);
      const { volumes } = await living.call('volume.list', {}, limited);
      const ours = volumes.map((v) => v.volume).filter((v) => v === orphan || v === kept);
      return ours.includes(orphan) ? undefined : ours;
    };
    assert.deepEqual(await until(left, 500, limited), [kept]);
    await living.call('volume.remove', { volume: kept }, limited);
  });

  test('comes back after a kill -9 of its agent, and the session with it', async () => {
    const toolbox = open();
    await ask(toolbox);
    const before = id();
    const pid = Number(docker('inspect', '--format', '{{.State.Pid}}', name));
    const lost = new Promise<string>((resolve) => {
      toolbox.onLost = resolve;
    });
    process.kill(pid, 'SIGKILL');
    await lost;
    await ask(toolbox);
    assert.equal(id(), before, 'the restart policy brought the same container back');
  });

  test('is started again when somebody stopped it, unpaused when somebody paused it, made anew when somebody removed it', async () => {
    const toolbox = open();
    for (const verb of [
      ['stop', '-t', '3'],
      ['rm', '-f'],
    ]) {
      await ask(toolbox);
      const lost = new Promise<string>((resolve) => {
        toolbox.onLost = resolve;
      });
      docker(...verb, name);
      await lost;
      await ask(toolbox);
      assert.equal(docker('inspect', '--format', '{{.State.Status}}', name), 'running');
    }
    toolbox.close();
    docker('pause', name);
    await ask(open());
    assert.equal(docker('inspect', '--format', '{{.State.Status}}', name), 'running');
  });

  test('is replaced when its image has changed, but not while another service works through it', async () => {
    const newer = `${name}:newer`;
    execFileSync('docker', ['build', '-q', '-t', newer, '-'], {
      input: `FROM ${image}\nLABEL newer=1\n`,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    try {
      for (const toolbox of opened.splice(0)) toolbox.close();
      const holder = open();
      await ask(holder);
      const before = id();
      const owner = newId('own');
      const waiting = open({ image: newer, owner });
      await ask(waiting);
      assert.equal(id(), before, 'another service lives');
      holder.close();
      waiting.close();
      using limited = deadline('the others’ end', 20_000);
      await until(
        async () => {
          const next = open({ image: newer, owner });
          await ask(next);
          next.close();
          return id() === before ? undefined : true;
        },
        500,
        limited,
      );
    } finally {
      for (const toolbox of opened.splice(0)) toolbox.close();
      remove();
      docker('rmi', '-f', newer);
    }
  });

  test('is not made of a stranger that has its name, nor of an image that is not there', async () => {
    docker('run', '-d', '--name', name, '--entrypoint', 'sleep', image, '60');
    await assert.rejects(ask(open()), (error: unknown) => error instanceof ToolboxError && /that is not the toolbox/.test(error.message));
    remove();
    await assert.rejects(
      ask(open({ image: 'subjectd/nosuch:1' })),
      (error: unknown) => error instanceof ToolboxError && error.code === 'unavailable',
    );
  });

  test('a fault is guarded while it is there, and says so when it is not; it goes on all the while', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'subjectd-toolbox-'));
    const kinds = join(root, 'test/kinds');
    const handle: ControlHandle = await createControl({
      engine,
      log: pino({ level: 'silent' }),
      version: '0.0.0-test',
      dataDir,
      kindFolders: [{ files: kinds, code: kinds }],
      env: process.env,
      projectPrefix: `${testEnv.SUBJECTD_PROJECT_PREFIX}tb-`,
      portOffset: 15_000,
      subnetPool: parseRange('10.221.0.0/16') as Range,
      healthIntervalMs: 1000,
      supervisionIntervalMs: 500,
      advertiseHost: null,
      toolboxImage: image,
      engineSocket,
      toolboxName: name,
    });
    const { control } = handle;
    const ended = async (running: ReturnType<typeof control.reset>) => {
      const operation = await running.ended;
      assert.equal(operation.state, 'succeeded', JSON.stringify(operation.error));
      return operation.result;
    };
    try {
      await ended(control.reset('trio', {}));
      const target = { node: 'cell0' };
      const faults: Fault[] = [];
      for (const [chaos_type, params] of Object.entries({
        latency: {},
        cpu_pressure: { percent: 50 },
        memory_pressure: { percent: 60 },
        disk_pressure: {},
      }))
        faults.push((await ended(control.inject('trio', { chaos_type, target, params }))) as Fault);
      assert.ok(faults.every((f) => f.guarded));
      const now = () => faults.map((f) => control.fault('trio', f.id));
      const guarded = async (want: boolean) => {
        using limited = deadline(`guarded: ${want}`, 30_000);
        await until(async () => (now().every((f) => f.guarded === want) ? true : undefined), 20, limited);
      };
      docker('stop', '-t', '3', name);
      await guarded(false);
      await guarded(true);
      assert.equal(docker('inspect', '--format', '{{.State.Status}}', name), 'running', 'it was brought back');
      // Time for some looks at each: nobody but the toolbox itself was away.
      await pause(3000);
      assert.deepEqual(
        now().map((f) => [f.chaos_type, f.state, f.uncovered.filter((u) => u.until === null)]),
        faults.map((f) => [f.chaos_type, 'active', []]),
      );
      for (const { id } of faults) assert.equal(((await ended(control.heal('trio', id))) as Fault).heal?.verdict, 'clean');
    } finally {
      await ended(control.deleteSubject('trio'));
      await handle.close(20_000);
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
