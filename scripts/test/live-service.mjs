import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { root } from '../setup/root.mjs';
import { endGroup } from './group.mjs';

const START_MS = 60_000;
const STOP_MS = 60_000;

/**
 * Runs `work(url, token)` against the built service in a process and on a data directory of its own; afterwards tears down every subject and
 * stops the service. Rejects when it does not become ready, or does not stop with code 0 in time.
 */
export async function withService(env, signal, work) {
  const data = mkdtempSync(join(tmpdir(), 'subjectd-live-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const token = randomBytes(16).toString('hex');
  const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
    cwd: root,
    env: { ...env, SUBJECTD_PORT: String(port), SUBJECTD_TOKEN: token, SUBJECTD_DATA_DIR: data, SUBJECTD_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const exit = once(child, 'exit');
  try {
    await ready(url, child, signal);
    await work(url, token);
    await tearDown(url, { authorization: `Bearer ${token}` });
  } finally {
    endGroup(child.pid, 'SIGTERM');
    const stopped = await Promise.race([exit, delay(STOP_MS, undefined, { ref: false })]);
    if (!stopped) endGroup(child.pid, 'SIGKILL');
    rmSync(data, { recursive: true, force: true });
  }
  const [code, killedBy] = await exit;
  if (code !== 0) throw new Error(`the service ended with ${killedBy ?? `code ${code}`} when it was told to stop`);
}

async function ready(url, child, signal) {
  const deadline = performance.now() + START_MS;
  for (;;) {
    signal.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`the service ended with code ${child.exitCode} at its start`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > deadline) throw new Error(`the service was not ready within ${START_MS / 1000} s`);
    await delay(50);
  }
}

async function tearDown(url, headers) {
  const listed = await fetch(`${url}/v1/subjects`, { headers });
  if (!listed.ok) throw new Error(`the subjects could not be listed: ${await listed.text()}`);
  const { subjects } = await listed.json();
  for (const { name } of subjects) {
    const answer = await fetch(`${url}/v1/subjects/${name}`, { method: 'DELETE', headers });
    if (!answer.ok) throw new Error(`subject ${name} could not be torn down: ${await answer.text()}`);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
