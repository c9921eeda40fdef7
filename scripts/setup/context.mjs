import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The label under which an image carries the hash of what it was built from. */
export const CONTEXT_LABEL = 'io.subjectd.context';

/** The files and links under `directory` as sorted relative paths. */
export function filesUnder(directory, prefix = '') {
  const found = [];
  for (const entry of readdirSync(join(directory, prefix), { withFileTypes: true })) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (entry.isDirectory()) found.push(...filesUnder(directory, path));
    else found.push(path);
  }
  return found.sort();
}

/**
 * SHA-256 over the names, executable bits and contents of a build context and over `inputs` (base image id, build arguments, what stands
 * for a folder elsewhere): equal exactly when a build would see the same.
 */
export function contextHash(directory, inputs = {}) {
  const hash = createHash('sha256');
  for (const [key, value] of Object.entries(inputs).sort(([a], [b]) => (a < b ? -1 : 1))) field(hash, 'input', key, String(value));
  for (const path of filesUnder(directory)) {
    const full = join(directory, path);
    const stat = lstatSync(full);
    if (stat.isSymbolicLink()) field(hash, 'link', path, readlinkSync(full));
    else field(hash, stat.mode & 0o100 ? 'program' : 'file', path, readFileSync(full));
  }
  return hash.digest('hex');
}

/** Each part is preceded by its length, so that no two different lists run together to the same bytes. */
function field(hash, ...parts) {
  for (const part of parts) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}:`);
    hash.update(bytes);
  }
}
