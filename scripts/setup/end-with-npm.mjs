const LOOK_MS = 250;

/**
 * Sends this process one SIGTERM when npm, which runs it through a shell, has been told to stop: npm passes the signal to that shell only,
 * the shell ends, and what it ran would go on by itself. Does nothing when npm did not start this process.
 */
export function endWithNpm(env = process.env) {
  if (!env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS).unref();
}
