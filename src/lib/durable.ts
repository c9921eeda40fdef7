import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Has a file's name, new or changed, outlive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What a write that was cut off leaves beside its file. */
export const halfWritten = '.half';

/** Makes the file with this text, whole and durable when it resolves; when it rejects, and after a crash, it is as it was before. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const half = `${path}${halfWritten}`;
  try {
    const file = await open(half, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(half, path);
  } catch (error) {
    // A disk that is full needs the room; what could not be removed is, at the next start.
    await rm(half, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(path);
}
