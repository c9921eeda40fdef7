import { randomUUID } from 'node:crypto';
import { link, open, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';

/** Held by a running service on its data directory; freed by the kernel when the process dies, however it dies. */
export interface DataDirLock {
  release(): Promise<void>;
}

/**
 * Takes the data directory for this process, or answers null when a living process has it. A Unix socket is the lock, as Node has no
 * `flock`: it works between containers that share the directory, where process ids mean nothing.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock | null> {
  const folder = await open(dataDir, 'r');
  // Socket paths are limited to 107 bytes; the descriptor's path is short whatever the folder's is.
  const at = (name: string) => `/proc/self/fd/${folder.fd}/${name}`;
  const token = randomUUID();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(token);
  });
  const own = `lock.${token}`;
  await listen(server, at(own));
  server.unref();
  const give = async (): Promise<null> => {
    await unlink(at(own)).catch(ignoreMissing);
    await closeServer(server);
    await folder.close();
    return null;
  };
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      await link(at(own), at('lock'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if ((await ask(at('lock'))) !== null) return give();
      await unlink(at('lock')).catch(ignoreMissing);
      continue;
    }
    // Somebody may have taken our fresh link for a stale one: only who answers on the name has the lock.
    if ((await ask(at('lock'))) !== token) return give();
    await unlink(at(own));
    return {
      release: async () => {
        await unlink(at('lock')).catch(ignoreMissing);
        await closeServer(server);
        await folder.close();
      },
    };
  }
  return give();
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The token of whoever listens; null when nobody does. A listener that says nothing within 2 s is alive all the same. */
function ask(path: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(path);
    socket.setTimeout(2000, () => {
      socket.destroy();
      resolve(text);
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.on('end', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(null);
      else reject(error);
    });
  });
}
