import { lstat, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { halfWritten, writeDurably } from '../lib/durable.ts';
import { idsAfter } from '../lib/id.ts';
import { InTurn } from '../lib/in_turn.ts';
import { Problem } from '../lib/problem.ts';
import { type Capture, type CaptureSummary, summaryOf } from './capture.ts';

/** What is kept over all subjects; the oldest go first. */
export interface Bounds {
  captures: number;
  bytes: number;
  /** Of one capture. */
  mostBytes: number;
}

const mib = 1024 * 1024;
const defaults: Bounds = { captures: 5000, bytes: 256 * mib, mostBytes: 32 * mib };

interface Entry {
  id: string;
  subject: string;
  bytes: number;
}

/** The name of a capture's file says whose it is. */
const fileName = /^(?<id>cap_[0-9A-HJKMNP-TV-Z]{26})\.(?<subject>[a-z0-9][a-z0-9_-]*)\.json$/;
const chunkBytes = 16 * 1024;

/**
 * Captures, one file each: a line with the summary, which is all that a list reads, and one with what it holds. They outlive their subject and the service.
 */
export class CaptureStore {
  #folder: string;
  #bounds: Bounds;
  /** Oldest first: in the order of their ids, which is that of their making. */
  #entries: Entry[];
  #writes = new InTurn();
  /** The next capture's id: above all there are, whatever the clock says. */
  readonly newId: () => string;
  /** Called for each that goes to make room. */
  onDropped: (id: string, subject: string) => void = () => {};
  /** Called for a file that cannot be read or removed; the capture is as if it were not there. */
  onDamage: (file: string, error: unknown) => void = () => {};

  private constructor(folder: string, bounds: Bounds, entries: Entry[]) {
    this.#folder = folder;
    this.#bounds = bounds;
    this.#entries = entries;
    this.newId = idsAfter('cap', entries.at(-1)?.id ?? null);
  }

  /** Makes the folder if need be, and removes what writes that were cut off left. Files that are not captures are left alone. */
  static async open(folder: string, bounds: Bounds = defaults): Promise<CaptureStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const entries: Entry[] = [];
    for (const file of await readdir(folder)) {
      const path = join(folder, file);
      if (file.endsWith(halfWritten) && fileName.test(file.slice(0, -halfWritten.length))) await rm(path, { force: true });
      const { id, subject } = fileName.exec(file)?.groups ?? {};
      if (id === undefined || subject === undefined) continue;
      const found = await lstat(path);
      if (found.isFile()) entries.push({ id, subject, bytes: found.size });
    }
    return new CaptureStore(folder, bounds, entries.sort(byId));
  }

  /** Durable when it resolves; then the oldest beyond the bounds are dropped. Rejects with `storage_unavailable`, and then it is not kept. */
  put(capture: Capture): Promise<void> {
    return this.#writes.run('', async () => {
      const { nodes, state } = capture;
      const text = `${JSON.stringify(summaryOf(capture))}\n${JSON.stringify({ nodes, state })}\n`;
      const entry = { id: capture.id, subject: capture.subject, bytes: Buffer.byteLength(text) };
      if (entry.bytes > this.#bounds.mostBytes)
        throw new Problem(
          'storage_unavailable',
          `The capture has ${entry.bytes} bytes; ${this.#bounds.mostBytes} are the most that is kept of one.`,
        );
      try {
        await writeDurably(this.#path(entry), text);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Problem('storage_unavailable', `The capture could not be written: ${why}.`, {}, { cause: error });
      }
      this.#entries = [...this.#entries, entry].sort(byId);
      await this.#makeRoom();
    });
  }

  /** Ids of a subject's captures, newest first. */
  of(subject: string): string[] {
    return this.#entries
      .filter((e) => e.subject === subject)
      .map((e) => e.id)
      .reverse();
  }

  /** Of whichever subject; null when there is none, or none any more. */
  async get(id: string): Promise<Capture | null> {
    return this.#read(id, async (path) => {
      const [summary, held] = (await readFile(path, 'utf8')).split('\n');
      return { ...(JSON.parse(summary ?? '') as CaptureSummary), ...(JSON.parse(held ?? '') as Pick<Capture, 'nodes' | 'state'>) };
    });
  }

  /** The same without what it holds, however much that is. */
  async summary(id: string): Promise<CaptureSummary | null> {
    return this.#read(id, async (path) => JSON.parse(await firstLine(path)) as CaptureSummary);
  }

  async #read<T>(id: string, read: (path: string) => Promise<T>): Promise<T | null> {
    const entry = this.#entries.find((e) => e.id === id);
    if (entry === undefined) return null;
    try {
      return await read(this.#path(entry));
    } catch (error) {
      // One that was dropped meanwhile is no damage.
      if (this.#entries.includes(entry)) this.onDamage(this.#path(entry), error);
      return null;
    }
  }

  async #makeRoom(): Promise<void> {
    let bytes = this.#entries.reduce((sum, e) => sum + e.bytes, 0);
    while (this.#entries.length > this.#bounds.captures || bytes > this.#bounds.bytes) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      bytes -= oldest.bytes;
      await rm(this.#path(oldest), { force: true }).catch((error: unknown) => this.onDamage(this.#path(oldest), error));
      this.onDropped(oldest.id, oldest.subject);
    }
  }

  #path({ id, subject }: Entry): string {
    return join(this.#folder, `${id}.${subject}.json`);
  }
}

function byId(a: Entry, b: Entry): number {
  return a.id < b.id ? -1 : 1;
}

async function firstLine(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes);
      const end = buffer.subarray(0, bytesRead).indexOf('\n');
      chunks.push(buffer.subarray(0, end === -1 ? bytesRead : end));
      if (end !== -1 || bytesRead === 0) return Buffer.concat(chunks).toString('utf8');
    }
  } finally {
    await file.close();
  }
}
