import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { extract } from 'tar-stream';
import { tarOf } from '../../src/engine/archive.ts';
import { textOf } from '../../src/engine/client.ts';
import type { FileInContainer } from '../../src/engine/port.ts';

const at = { op: 'putFiles', target: 'x' };
const file = (path: string, extra: Partial<FileInContainer> = {}): FileInContainer => ({
  path,
  content: Buffer.from(`at ${path}`),
  mode: 0o644,
  uid: 0,
  gid: 0,
  ...extra,
});

async function read(tar: Buffer) {
  const entries: {
    name: string;
    mode: number | undefined;
    uid: number | undefined;
    gid: number | undefined;
    type: string | null | undefined;
    text: string;
  }[] = [];
  const parser = extract();
  parser.end(tar);
  for await (const entry of parser) {
    const { name, mode, uid, gid, type } = entry.header;
    entries.push({ name, mode, uid, gid, type, text: await textOf(entry as AsyncIterable<Buffer>) });
  }
  return entries;
}

describe('the archive of files', () => {
  it('holds the files with mode and owner, and no folder whose mode it would change', async () => {
    const tar = await tarOf(at, [file('/etc/app/app.toml', { mode: 0o100440, uid: 1000, gid: 1001 }), file('//tmp/./x')]);
    assert.deepEqual(await read(tar), [
      { name: 'etc/app/app.toml', mode: 0o440, uid: 1000, gid: 1001, type: 'file', text: 'at /etc/app/app.toml' },
      { name: 'tmp/x', mode: 0o644, uid: 0, gid: 0, type: 'file', text: 'at //tmp/./x' },
    ]);
  });

  it('takes owners that a header has no room for', async () => {
    const owner = { uid: 1_000_650_000, gid: 262_144 };
    const tar = await tarOf(at, [file('/secret', owner), file('/plain', { uid: 262_143, gid: 0 })]);
    const listed = execFileSync('tar', ['-tv', '--numeric-owner'], { input: tar, encoding: 'utf8' });
    assert.deepEqual(
      listed
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[1]),
      ['1000650000/262144', '262143/0'],
    );
  });

  it('takes long and odd names', async () => {
    const path = `/${'ordner-ä/'.repeat(30)}file name`;
    assert.deepEqual(
      (await read(await tarOf(at, [file(path)]))).map((e) => `/${e.name}`),
      [path],
    );
  });

  it('takes an empty file', async () => {
    assert.equal((await read(await tarOf(at, [file('/x', { content: Buffer.alloc(0) })])))[0]?.text, '');
  });

  it('refuses a path that is none of a file', async () => {
    for (const path of ['relative', '/', '', '/etc/', '/a/../../b']) await assert.rejects(tarOf(at, [file(path)]), { reason: 'refused' });
  });
});
