import { open, stat } from 'node:fs/promises';

/** What the resolver asks of the file system. */
export interface Files {
  /** The file's content, or one of the reasons why there is none. Never throws. */
  read(path: string): Promise<FileRead>;
  /** What stands at a path; null: nothing, or nothing that may be looked at. Never throws. */
  kind(path: string): Promise<FileKind | null>;
}

export type FileRead = { content: Buffer; executable: boolean } | { error: string };
export type FileKind = 'file' | 'directory' | 'socket' | 'other';

/** Configs, secrets and env files are held in memory and hashed. */
const mostBytes = 8 * 1024 * 1024;

/** The file system of this machine. */
export const realFiles: Files = {
  async read(path) {
    try {
      const handle = await open(path, 'r');
      try {
        const found = await handle.stat();
        if (!found.isFile()) return { error: 'is not a file; name a file' };
        if (found.size > mostBytes) return { error: `is larger than ${mostBytes} bytes; put it into the image` };
        return { content: await handle.readFile(), executable: (found.mode & 0o100) !== 0 };
      } finally {
        await handle.close();
      }
    } catch (error) {
      return { error: reason(error) };
    }
  },
  async kind(path) {
    try {
      const found = await stat(path);
      if (found.isFile()) return 'file';
      if (found.isDirectory()) return 'directory';
      return found.isSocket() ? 'socket' : 'other';
    } catch {
      // Absent and unreachable are the same to a mount: the caller reports a missing source.
      return null;
    }
  },
};

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist; create it, or correct the path';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read; correct its permissions';
  return `cannot be read (${code})`;
}
