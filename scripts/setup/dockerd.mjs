import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, which } from './command.mjs';
import { cache } from './root.mjs';

const PID_FILES = { '/var/run/docker.pid': 'dockerd', '/var/run/docker/containerd/containerd.pid': 'containerd' };

/**
 * Starts the installed dockerd so that it outlives this process: by systemd where that runs, else in a session of its own with its output
 * in a log file. Answers `{ended(), log()}`: its exit text once it has ended, and the last lines it wrote.
 */
export async function startDockerd() {
  if (existsSync('/run/systemd/system') && which('systemctl')) {
    const { code, tail } = await run('systemctl', ['start', 'docker'], { timeoutMs: 120_000 });
    return { ended: () => (code === 0 ? undefined : 'systemctl start docker failed'), log: () => tail };
  }
  removeStalePidFiles();
  const path = logFile();
  const log = openSync(path, 'w', 0o640);
  const child = spawn(which('dockerd'), [], { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  let ended;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `dockerd ended with ${signal ?? `code ${code}`}`;
  });
  child.unref();
  return { ended: () => ended, log: () => readFileSync(path, 'utf8').trimEnd().split('\n').slice(-8) };
}

/** True when a dockerd that wrote the usual pid file is alive, answering or not. */
export function dockerdIsAlive() {
  return ownerOf('/var/run/docker.pid') === 'dockerd';
}

/** Removes pid files whose process is gone or is some other program by now: dockerd would refuse to start beside them. */
function removeStalePidFiles() {
  for (const [path, program] of Object.entries(PID_FILES)) {
    if (existsSync(path) && ownerOf(path) !== program) rmSync(path, { force: true });
  }
}

function ownerOf(pidFile) {
  try {
    const pid = readFileSync(pidFile, 'utf8').trim();
    return /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : undefined;
  } catch {
    return undefined;
  }
}

function logFile() {
  try {
    accessSync('/var/log', constants.W_OK);
    return '/var/log/subjectd-dockerd.log';
  } catch {
    mkdirSync(cache, { recursive: true });
    return join(cache, 'dockerd.log');
  }
}
