import { readFile, writeFile } from 'node:fs/promises';
import { newId } from '../lib/id.ts';

/** The id that every object of this service carries; made once and kept in the data directory. */
export async function ownerOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const owner = newId('own');
  await writeFile(path, `${owner}\n`, { mode: 0o600, flag: 'wx' });
  return owner;
}
