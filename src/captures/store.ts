import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { InTurn } from '../lib/in_turn.ts';
import { Problem } from '../lib/problem.ts';
import type { Capture } from './capture.ts';

/** What is kept over all subjects; the oldest go first. */
export interface Bounds {
  captures: number;
  bytes: number;
}

const defaults: Bounds = { captures: 5000, bytes: 256 * 1024 * 1024 };

interface Entry {
  id: string;
  subject: string;
  bytes: number;
}

/** The name of a capture's file says whose it is, so that a list needs to read only what it answers. */
const fileName = /^(?<id>cap_[0-9A-HJKMNP-TV-Z]{26})\.(?<subject>[a-z0-9][a-z0-9_-]*)\.json$/;
/** What a write that was cut off leaves. */
const halfWritten = /^cap_[^/]*\.json\.[0-9]+$/;

/** Captures, one file each. They outlive their subject and the service. */
export class CaptureStore {
  #folder: string;
  #bounds: Bounds;
  /** Oldest first. */
  #entries: Entry[];
  #writes = new InTurn();
  /** Called when one that should go cannot be removed; it is tried again after the next one. */
  onDropError: (error: unknown) => void = () => {};

  private constructor(folder: string, bounds: Bounds, entries: Entry[]) {
    this.#folder = folder;
    this.#bounds = bounds;
    this.#entries = entries;
  }

  /** Makes the folder if need be. Files that are not captures are left alone. */
  static async open(folder: string, bounds: Bounds = defaults): Promise<CaptureStore> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const entries: Entry[] = [];
    for (const file of await readdir(folder)) {
      if (halfWritten.test(file)) await rm(join(folder, file), { force: true });
      const { id, subject } = fileName.exec(file)?.groups ?? {};
      if (id !== undefined && subject !== undefined) entries.push({ id, subject, bytes: (await stat(join(folder, file))).size });
    }
    return new CaptureStore(folder, bounds, entries.sort(byId));
  }

  /** Durable when it resolves; then the oldest beyond the bounds are dropped. Rejects with `storage_unavailable`, and then it is not kept. */
  put(capture: Capture): Promise<void> {
    return this.#writes.run('', async () => {
      const text = `${JSON.stringify(capture)}\n`;
      const entry = { id: capture.id, subject: capture.subject, bytes: Buffer.byteLength(text) };
      try {
        await writeFileAtomic(this.#path(entry), text, { mode: 0o600 });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Problem('storage_unavailable', `The capture could not be written: ${why}.`, {}, { cause: error });
      }
      this.#entries = [...this.#entries, entry].sort(byId);
      await this.#drop(entry).catch((error: unknown) => this.onDropError(error));
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
    const entry = this.#entries.find((e) => e.id === id);
    if (entry === undefined) return null;
    try {
      return JSON.parse(await readFile(this.#path(entry), 'utf8')) as Capture;
    } catch (error) {
      // Dropped since, or by hand.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** What was just kept is not dropped for its own size. */
  async #drop(newest: Entry): Promise<void> {
    let bytes = this.#entries.reduce((sum, e) => sum + e.bytes, 0);
    while (this.#entries.length > this.#bounds.captures || bytes > this.#bounds.bytes) {
      const oldest = this.#entries.find((e) => e !== newest);
      if (oldest === undefined) return;
      await rm(this.#path(oldest), { force: true });
      this.#entries = this.#entries.filter((e) => e !== oldest);
      bytes -= oldest.bytes;
    }
  }

  #path({ id, subject }: Entry): string {
    return join(this.#folder, `${id}.${subject}.json`);
  }
}

function byId(a: Entry, b: Entry): number {
  return a.id < b.id ? -1 : 1;
}
