import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Json = Record<string, unknown>;

/** The set-up is plain JavaScript, since it runs before any module is installed: loads one of its files, of which the tests say what they use. */
export const load = async <T>(file: string): Promise<T> => (await import(new URL(`../../scripts/${file}`, import.meta.url).href)) as T;

/** A folder that is there for the time of the work. */
export function withFolder<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'subjectd-setup-'));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
