import { type ChildProcess, spawn } from 'node:child_process';
import { cpus } from 'node:os';

/** Keeps every core of this machine busy until it is disposed of: one process each that does nothing but count. */
export function busyCores(): Disposable {
  const children: ChildProcess[] = cpus().map(() => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  return {
    [Symbol.dispose]: () => {
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
