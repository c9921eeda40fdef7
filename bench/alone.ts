import { once } from 'node:events';
import { createServer } from 'node:net';

/** An abstract socket: it has no file, and goes with the process however that ends. */
const name = '\0subjectd-bench';

/**
 * Holds the one place for a bench on this machine until `release`; rejects when another bench has it. Two would take each other for leftovers, and their
 * figures would be worth nothing.
 */
export async function alone(): Promise<{ release: () => Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(name);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error('Another bench runs on this machine: wait for its end.');
  }
  server.unref();
  return {
    release: async () => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
