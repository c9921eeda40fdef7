import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const module = fileURLToPath(new URL('../../src/log_output.ts', import.meta.url));
/** Logs more than any pipe takes, tells that it goes on, and ends as the service does. */
const program = `
import pino from 'pino';
import { standardOutput } from ${JSON.stringify(module)};
const output = standardOutput();
const log = pino({}, output);
for (let n = 0; n < 500; n++) log.info({ n }, 'x'.repeat(500));
await new Promise((resolve) => setTimeout(resolve, 100));
log.fatal('the last line');
process.stderr.write('goes on\\n');
await output.flushed(300);
process.exit(0);
`;

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'subjectd-log-'));
});
after(() => rmSync(dir, { recursive: true }));

async function ending(stdout: number): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: ['ignore', stdout, 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

describe('the log', { timeout: 60_000 }, () => {
  test('to a file is all there at the end', async () => {
    const path = join(dir, 'log');
    const file = openSync(path, 'w');
    assert.deepEqual(await ending(file), { code: 0, said: 'goes on\n' });
    closeSync(file);
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    assert.deepEqual([lines.length, JSON.parse(lines.at(-1) ?? '').msg], [501, 'the last line']);
  });

  test('to a disk that is full costs lines and nothing else', async () => {
    const full = openSync('/dev/full', 'w');
    assert.deepEqual(await ending(full), { code: 0, said: 'goes on\n' });
    closeSync(full);
  });

  test('to somebody who does not read costs lines and nothing else', async () => {
    const path = join(dir, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const pipe = openSync(path, 'w');
    assert.deepEqual(await ending(pipe), { code: 0, said: 'goes on\n' });
    closeSync(pipe);
    closeSync(reader);
  });
});
