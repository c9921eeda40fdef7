import { pack } from 'tar-stream';
import type { Client } from './client.ts';
import type { CallSite } from './errors.ts';
import { containerPath } from './paths.ts';
import { EngineError, type FileInContainer } from './port.ts';

/** Six octal digits. */
const largestInHeader = 0o777777;

/** Engine.putFiles: one upload to `/`. Owners are those of the files; `copyUIDGID` would put the container's user there. */
export async function putFiles(client: Client, id: string, files: FileInContainer[], signal: AbortSignal): Promise<void> {
  const at = { op: 'putFiles', target: id };
  const tar = await tarOf(at, files);
  await client.done({ ...at, method: 'PUT', path: `${containerPath(at)}/archive`, query: { path: '/' }, tar, signal });
}

/**
 * The files as a tar, and nothing but the files: the engine makes missing parents itself (0755, root), while an entry for
 * one that exists would change its mode and owner (`/tmp` to 0755) or put a folder in place of a link (`/var/run`).
 */
export async function tarOf(at: CallSite, files: FileInContainer[]): Promise<Buffer> {
  const archive = pack();
  for (const file of files) {
    const { content, mode, uid, gid } = file;
    const pax = ownerRecords(uid, gid);
    archive.entry({ name: nameOf(at, file.path), size: content.length, mode: mode & 0o7777, uid, gid, type: 'file', ...pax }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** An owner that the header has no room for; the library would write the largest there is instead, without a word. */
function ownerRecords(uid: number, gid: number): { pax?: Record<string, string> } {
  return Math.max(uid, gid) <= largestInHeader ? {} : { pax: { uid: String(uid), gid: String(gid) } };
}

function nameOf(at: CallSite, path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (!path.startsWith('/') || path.endsWith('/') || parts.length === 0 || parts.includes('..')) {
    throw new EngineError('refused', `not an absolute path of a file: ${path}`, { status: null, ...at });
  }
  return parts.join('/');
}
