import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { realFiles } from '../../src/compose/files.ts';
import { resolveProject } from '../../src/compose/resolve.ts';
import { Problem } from '../../src/lib/problem.ts';

describe('a compose file on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'subjectd-compose-'));
  after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('is resolved with the files beside it', async () => {
    chmodSync(write('run.sh', '#!/bin/sh\n'), 0o755);
    write('plain.conf', 'a = 1\n');
    write('vars.env', 'A=from file\n');
    mkdirSync(join(folder, 'conf.d'));
    const file = write(
      'compose.yaml',
      `services:
  a:
    image: x
    env_file: vars.env
    configs: [script, plain]
    volumes: ["./conf.d:/etc/conf.d:ro"]
configs: {script: {file: ./run.sh}, plain: {file: plain.conf}}
`,
    );
    const { services, workingDir } = await resolveProject({ file, projectName: 'prj', env: {} });
    const [found] = services;
    assert.equal(workingDir, folder);
    assert.deepEqual(found?.environment, { A: 'from file' });
    assert.deepEqual(
      found?.configs.map(({ content, mode }) => [content.toString(), mode]),
      [
        ['#!/bin/sh\n', 0o555],
        ['a = 1\n', 0o444],
      ],
    );
    assert.deepEqual(found?.mounts, [{ type: 'bind', source: join(folder, 'conf.d'), target: '/etc/conf.d', readOnly: true }]);
  });

  it('that is missing, or a folder, is a finding too', async () => {
    for (const [file, message] of [
      [join(folder, 'gone.yaml'), /does not exist; create it/],
      [folder, /is not a file/],
    ] as const) {
      await assert.rejects(resolveProject({ file, projectName: 'prj', env: {} }), (error) => {
        assert.ok(error instanceof Problem);
        assert.equal(error.code, 'compose_invalid');
        assert.match(error.message, message);
        return true;
      });
    }
  });

  it('tells folders, sockets and missing paths apart', async () => {
    const socket = join(folder, 's.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    assert.equal(await realFiles.kind(socket), 'socket');
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await realFiles.kind(folder), 'directory');
    assert.equal(await realFiles.kind(write('f', '')), 'file');
    assert.equal(await realFiles.kind('/dev/null'), 'other');
    assert.equal(await realFiles.kind(join(folder, 'gone')), null);
  });

  it('refuses a file that is too large to hold', async () => {
    const answer = await realFiles.read(write('large', Buffer.alloc(9 * 1024 * 1024)));
    assert.ok('error' in answer);
    assert.match(answer.error, /larger than/);
  });
});
