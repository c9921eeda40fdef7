import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type ControlOptions, createControl } from '../../src/control/create.ts';
import type { Engine } from '../../src/engine/port.ts';
import { type Kind, knownProfiles, loadKinds } from '../../src/kind/loader.ts';
import { makeDataDir } from '../../src/ledger/lock.ts';
import { readSettings } from '../../src/settings.ts';

const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const subjects = join(root, 'subjects');

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'subjectd-start-'));
});
after(() => rmSync(dir, { recursive: true }));

/** What a start says that gets no further than the data directory, and the lines of its log. */
async function start(over: Partial<ControlOptions>): Promise<{ said: string; lines: { level: number; msg: string; known: string[] }[] }> {
  const lines: { level: number; msg: string; known: string[] }[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const options = {
    ...readSettings({}, dir),
    version: '0.0.0-test',
    engine: {} as Engine,
    log: pino(stream),
    kindFolders: [],
    env: {},
    ...over,
  };
  const said = await createControl(options).then(
    () => 'it started',
    (error: Error) => error.message,
  );
  return { said, lines };
}

const sentence = (path: string, rest: string) =>
  new RegExp(`^SUBJECTD_DATA_DIR is ${path}, ${rest}: set it to a directory that this service can make or write to\\.$`);

describe('a data directory that is of no use', () => {
  test('that no file system makes', { timeout: 5000 }, async () => {
    assert.match(
      (await start({ dataDir: '/proc/x' })).said,
      sentence('/proc/x', String.raw`which cannot be made \(ENOENT, mkdir /proc/x\)`),
    );
    assert.match(
      (await start({ dataDir: '/proc/x/y' })).said,
      sentence('/proc/x/y', String.raw`which cannot be made \(ENOENT, mkdir /proc/x\)`),
    );
  });

  test('that is there and takes no files', async () => {
    assert.match((await start({ dataDir: '/proc/self' })).said, sentence('/proc/self', String.raw`where .* \([A-Z]+, listen\)`));
  });

  test('that is a file, or below one, or a link to nowhere', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    assert.match((await start({ dataDir: file })).said, sentence(file, `which is not a directory.* \\(EEXIST, mkdir ${file}\\)`));
    const below = join(file, 'data');
    assert.match((await start({ dataDir: below })).said, sentence(below, `which is not a directory.* \\(ENOTDIR, mkdir ${below}\\)`));
    const nowhere = join(dir, 'nowhere');
    symlinkSync(join(dir, 'missing'), nowhere);
    assert.match((await start({ dataDir: nowhere })).said, sentence(nowhere, `which cannot be used \\(ENOENT, stat ${nowhere}\\)`));
    const through = join(nowhere, 'data');
    assert.match((await start({ dataDir: through })).said, sentence(through, `which cannot be used \\(ENOENT, stat ${nowhere}\\)`));
  });

  test('whose own files cannot be opened, and the lock is free again', async () => {
    const data = join(dir, 'strange');
    mkdirSync(join(data, 'ledger.ndjson'), { recursive: true });
    const expected = sentence(data, String.raw`which cannot be used \(EISDIR, [a-z]+[^)]*\)`);
    assert.match((await start({ dataDir: data })).said, expected);
    assert.match((await start({ dataDir: data })).said, expected);
  });

  test('that the service has no right to', async () => {
    const closed = join(dir, 'closed');
    mkdirSync(closed);
    chmodSync(dir, 0o755);
    chmodSync(closed, 0o555);
    const code = `
      const { inDataDir, lockDataDir, makeDataDir } = await import(${JSON.stringify(new URL('../../src/ledger/lock.ts', import.meta.url).href)});
      if (process.getuid() === 0) process.setuid(65534);
      for (const path of process.argv.slice(1)) {
        await inDataDir(path, () => makeDataDir(path).then(() => lockDataDir(path))).then(() => console.log('it started'), (e) => console.log(e.message));
      }
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, closed, join(closed, 'data')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    const [there, below] = said.trimEnd().split('\n');
    assert.match(there ?? '', sentence(closed, String.raw`where this service may not read or write \(EACCES, listen\)`));
    assert.match(below ?? '', sentence(join(closed, 'data'), String.raw`where this service may not read or write \(EACCES, mkdir [^)]*\)`));
  });

  test('one that can be made is, with those above it, and is its owner’s alone', async () => {
    const data = join(dir, 'a/b/c');
    await Promise.all([makeDataDir(data), makeDataDir(data), makeDataDir(join(dir, 'a/b'))]);
    await makeDataDir(data);
    assert.equal(statSync(data).mode & 0o777, 0o700);
  });
});

describe('a folder of kinds that is of no use', () => {
  const further = (files: string) => loadKinds([{ files, code: files, setting: 'SUBJECTD_SUBJECTS_DIR' }]);

  test('the sentence has the setting and the folder', async () => {
    const next = /: name existing folders that hold a folder for each kind, separated by ":"\.$/;
    await assert.rejects(further('/nonexistent'), { message: /^SUBJECTD_SUBJECTS_DIR names \/nonexistent, which does not exist: / });
    await assert.rejects(further('/nonexistent'), { message: next });
    const file = join(dir, 'no-folder');
    writeFileSync(file, '');
    await assert.rejects(further(file), { message: new RegExp(`^SUBJECTD_SUBJECTS_DIR names ${file}, which is not a folder: `) });
    await assert.rejects(loadKinds([{ files: '/nonexistent', code: '' }]), {
      message: 'The folder of kinds /nonexistent does not exist.',
    });
  });

  test('one without a kind is none, and a kind’s own folder says what was meant', async () => {
    const empty = join(dir, 'empty');
    mkdirSync(empty);
    const sentence = (path: string) =>
      `SUBJECTD_SUBJECTS_DIR names ${path}, which holds no folder of a kind (with a compose.yaml and an adapter)`;
    await assert.rejects(further(empty), { message: `${sentence(empty)}.` });
    const etcd = join(subjects, 'etcd');
    await assert.rejects(further(etcd), { message: `${sentence(etcd)}, but is one itself: name the folder above it.` });
  });

  test('nothing is made in the data directory before', async () => {
    const dataDir = join(dir, 'untouched');
    const { said } = await start({ dataDir, kindFolders: [{ files: '/nonexistent', code: '', setting: 'SUBJECTD_SUBJECTS_DIR' }] });
    assert.match(said, /^SUBJECTD_SUBJECTS_DIR names/);
    assert.throws(() => statSync(dataDir), { code: 'ENOENT' });
  });

  test('a link to a file beside the kinds is left alone', async () => {
    const kinds = join(dir, 'kinds');
    mkdirSync(kinds);
    writeFileSync(join(kinds, 'README'), '');
    symlinkSync(join(kinds, 'README'), join(kinds, 'link'));
    assert.deepEqual(await loadKinds([{ files: kinds, code: kinds }]), []);
  });
});

describe('COMPOSE_PROFILES', () => {
  const warned = async (profiles: string) =>
    (await start({ dataDir: '/proc/x', kindFolders: [{ files: subjects, code: subjects }], env: { COMPOSE_PROFILES: profiles } })).lines;

  test('a profile that no kind has is a warning with those there are', async () => {
    const [line, ...more] = await warned('load, nosuch');
    assert.equal(line?.level, 40);
    assert.equal(line?.msg, 'COMPOSE_PROFILES names nosuch, which no kind has; known: load, monitoring');
    assert.deepEqual([line?.known, more], [['load', 'monitoring'], []]);
  });

  test('those that there are, all of them and none are no warning', async () => {
    for (const profiles of ['load,monitoring', '*', '', ' , ']) assert.deepEqual(await warned(profiles), [], profiles);
  });

  test('profiles are known whatever else is wrong with a file', async () => {
    const composeFile = join(dir, 'compose.yaml');
    writeFileSync(
      composeFile,
      `services: { a: { profiles: [b, "\${P}", "\${Q:?no}"] }, c: null, d: { profiles: *x }, e: { profiles: f }, g: { profiles: [b, 5] } }`,
    );
    const kind = (file: string) => ({ composeFile: file }) as Kind;
    assert.deepEqual(await knownProfiles([kind(composeFile), kind(join(dir, 'missing.yaml'))], { P: 'p' }), ['5', 'b', 'p']);
  });
});

describe('the process', () => {
  test('ends with one sentence, at once', { timeout: 70_000 }, async () => {
    const engine = createServer((_request, response) => response.end('OK'));
    const socket = join(dir, 'engine.sock');
    engine.listen(socket);
    await once(engine, 'listening');
    try {
      const env = { PATH: process.env.PATH ?? '', SUBJECTD_NICE: '0', DOCKER_HOST: `unix://${socket}`, SUBJECTD_DATA_DIR: '/proc/x' };
      const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'src/main.ts')], {
        cwd: root,
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      assert.match(said, /^subjectd: SUBJECTD_DATA_DIR is \/proc\/x, .*\n$/);
      assert.equal(status, 1);
    } finally {
      engine.close();
    }
  });
});
