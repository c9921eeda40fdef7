import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { root } from '../setup/root.mjs';

const KILL_AFTER_MS = 15_000;

/**
 * Runs a program in a process group of its own and answers `{code, signal, timedOut}`. At the deadline, or when `signal` aborts, the whole
 * group is told to end and ended 15 s later; an abort rejects with its reason. Output is shown as it is, or given to `onLine` by lines.
 */
export function runGroup(program, args, { cwd = root, env, timeoutMs, signal, onLine }) {
  return new Promise((resolve, reject) => {
    const output = onLine ? 'pipe' : 'inherit';
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', output, output], detached: true });
    for (const stream of onLine ? [child.stdout, child.stderr] : []) createInterface({ input: stream }).on('line', onLine);
    let timedOut = false;
    let hard;
    const end = () => {
      endGroup(child.pid, 'SIGTERM');
      hard ??= setTimeout(() => endGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS);
    };
    const soft = setTimeout(() => {
      timedOut = true;
      end();
    }, timeoutMs);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const settle = () => {
      clearTimeout(soft);
      clearTimeout(hard);
      signal.removeEventListener('abort', end);
    };
    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('exit', () => {
      // What it started and left behind after a forced end must not disturb what runs next.
      if (timedOut || signal.aborted) endGroup(child.pid, 'SIGKILL');
    });
    child.on('close', (code, killedBy) => {
      settle();
      if (signal.aborted) reject(signal.reason);
      else resolve({ code, signal: killedBy, timedOut });
    });
  });
}

/** Sends a signal to every process of a group that is still there. */
export function endGroup(pid, signal) {
  if (!pid) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
