import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

const TAIL = 20;
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The full path of an executable on PATH or in the system folders that an ordinary user's PATH lacks; undefined when there is none. */
export function which(name, env = process.env) {
  for (const folder of [...(env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]) {
    if (!folder) continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/**
 * Runs a program without a shell and answers `{code, tail}`: its exit code (1 when a signal or the deadline ended it) and its last
 * lines of output. `onLine` sees each line as it comes. Rejects only when the program cannot be started.
 */
export function run(program, args, { cwd, env = process.env, timeoutMs = 30 * 60_000, onLine } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const tail = [];
    const timer = setTimeout(() => {
      tail.push(`ended after ${timeoutMs / 1000} s without a result`);
      child.kill('SIGKILL');
      // What it started may hold them open, and it is not waited for.
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
    }, timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!line.trim()) return;
        tail.push(line);
        if (tail.length > TAIL) tail.shift();
        onLine?.(line.trim());
      });
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, tail });
    });
  });
}
