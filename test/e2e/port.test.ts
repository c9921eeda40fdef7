import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root, testEnv } from './service.ts';

describe('the port that the service wants is taken', () => {
  test('one clear sentence and a non-zero exit', async () => {
    const holder = createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    assert.ok(address !== null && typeof address !== 'string');
    const dataDir = mkdtempSync(join(tmpdir(), 'subjectd-port-'));
    try {
      const env = { PATH: process.env.PATH ?? '', ...testEnv, SUBJECTD_PORT: String(address.port), SUBJECTD_DATA_DIR: dataDir };
      const run = spawnSync(process.execPath, [join(root, 'dist/src/main.js')], { env, encoding: 'utf8', timeout: 60_000 });
      assert.equal(run.status, 1);
      assert.match(run.stderr, new RegExp(`^subjectd: Port ${address.port} on 127.0.0.1 is taken\\..*\\n$`));
    } finally {
      holder.close();
      rmSync(dataDir, { recursive: true });
    }
  });
});
