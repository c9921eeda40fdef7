import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { dirname } from 'node:path';

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
  const give = async (): Promise<null> => {
    await unlink(at(own)).catch(ignoreMissing);
    await closeServer(server);
    await folder.close();
    return null;
  };
  try {
    await listen(server, at(own));
    server.unref();
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        await link(at(own), at('lock'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        if ((await ask(at('lock'))) !== null) return await give();
        await unlink(at('lock')).catch(ignoreMissing);
        continue;
      }
      // Somebody may have taken our fresh link for a stale one: only who answers on the name has the lock.
      if ((await ask(at('lock'))) !== token) return await give();
      await unlink(at(own));
      return {
        release: async () => {
          await unlink(at('lock')).catch(ignoreMissing);
          await closeServer(server);
          await folder.close();
        },
      };
    }
    return await give();
  } catch (error) {
    await unlink(at(own)).catch(() => {});
    await closeServer(server);
    await folder.close().catch(() => {});
    throw error;
  }
}

/**
 * Makes the directory and those above it. Not with Node's `recursive`, which tries for ever where a file system answers ENOENT to every new name, as /proc
 * does.
 */
export async function makeDataDir(dataDir: string): Promise<void> {
  const parent = dirname(dataDir);
  if (!existsSync(parent)) await makeDataDir(parent);
  try {
    await mkdir(dataDir, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(dataDir)).isDirectory()) throw error;
  }
}

/** Does something with the data directory; what the file system has against it becomes one sentence that names the setting. */
export async function inDataDir<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    const { code = '', syscall = '', path = '' } = error as NodeJS.ErrnoException;
    const at = path.startsWith('/') && !path.startsWith('/proc/self/fd/') ? ` ${path}` : '';
    throw new Error(
      `SUBJECTD_DATA_DIR is ${dataDir}, ${reason(code, syscall)} (${code}, ${syscall}${at}): set it to a directory that this service can make or write to.`,
      { cause: error },
    );
  }
}

function reason(code: string, syscall: string): string {
  if (code === 'EACCES' || code === 'EROFS') return 'where this service may not read or write';
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'which is not a directory, or is below something that is none';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'where no room is left';
  if (syscall === 'mkdir') return 'which cannot be made';
  // Some file systems of shared folders have none of these.
  if (syscall === 'listen' || syscall === 'link') return 'where no Unix socket or hard link can be made, which the lock needs';
  return 'which cannot be used';
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
