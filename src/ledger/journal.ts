import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { syncFolder } from '../lib/durable.ts';
import { ndjsonLine, readNdjson } from '../lib/ndjson.ts';
import { Problem } from '../lib/problem.ts';

/** What opening a journal found. */
export interface JournalOpening {
  journal: Journal;
  records: unknown[];
  /** Bytes of a torn tail that were cut off. */
  tornBytes: number;
  damagedLines: number[];
}

const emptyForAppending = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;

interface Waiting {
  line: Buffer;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * An append-only file of JSON lines. `append` resolves once the record is on the disk (`fdatasync`); records that wait
 * together share one sync. A failed write is taken back, so that the file never holds half a record.
 */
export class Journal {
  readonly path: string;
  #file: FileHandle;
  #size: number;
  #waiting: Waiting[] = [];
  #compaction: { records: () => unknown[]; resolve: () => void; reject: (error: unknown) => void } | null = null;
  #working: Promise<void> | null = null;
  #closed = false;
  /** Bytes behind `#size` may be in the file. */
  #torn = false;
  /** The file has its name, but a power cut may still give the name back to the one before it. */
  #nameUncertain = false;

  private constructor(path: string, file: FileHandle, size: number) {
    this.path = path;
    this.#file = file;
    this.#size = size;
  }

  /** Opens or makes the file, cuts off a torn tail and answers all records. */
  static async open(path: string): Promise<JournalOpening> {
    const existed = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    const bytes = existed ?? Buffer.alloc(0);
    const { records, goodBytes, damagedLines } = readNdjson(bytes);
    const file = await open(path, 'a', 0o600);
    if (goodBytes < bytes.length) await file.truncate(goodBytes);
    await file.datasync();
    // An old file's name may be as uncertain as a new one's: who renamed it may have been killed before the sync.
    await syncFolder(path);
    return { journal: new Journal(path, file, goodBytes), records, tornBytes: bytes.length - goodBytes, damagedLines };
  }

  /** Size in bytes of what is durable. */
  get size(): number {
    return this.#size;
  }

  /**
   * Durable when it resolves; rejects with `ledger_unavailable` and leaves the file as it was. `onDurable` is called before any later
   * write or compaction begins.
   */
  append(record: unknown, onDurable: () => void = () => {}): Promise<void> {
    if (this.#closed) return Promise.reject(new Problem('ledger_unavailable', 'The ledger is closed.'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        line: ndjsonLine(record),
        resolve: () => {
          onDurable();
          resolve();
        },
        reject,
      });
      this.#working ??= this.#work();
    });
  }

  /**
   * Replaces the content by what `records` answers once all earlier appends are durable. Atomic: a crash leaves the old file or the new one.
   * When it rejects, nothing is lost; where it is not certain which file a power cut leaves, appends are refused until it is.
   */
  compact(records: () => unknown[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#compaction = { records, resolve, reject };
      this.#working ??= this.#work();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
    await this.#file.close();
  }

  /** The one writer: appends and compactions never overlap. */
  async #work(): Promise<void> {
    // Yield once, so that records appended in the same turn share a sync.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#compaction !== null) {
      const batch = this.#waiting.splice(0);
      if (batch.length > 0) await settle(this.#write(Buffer.concat(batch.map((b) => b.line))), batch);
      const compaction = this.#compaction;
      this.#compaction = null;
      if (compaction !== null) await settle(this.#replace(Buffer.concat(compaction.records().map(ndjsonLine))), [compaction]);
    }
    this.#working = null;
  }

  async #replace(bytes: Buffer): Promise<void> {
    const next = `${this.path}.next`;
    // What is renamed is the open file that is appended to afterwards: to open it again could fail, and leave us writing to the nameless old one.
    const file = await open(next, emptyForAppending, 0o600);
    try {
      await file.writeFile(bytes);
      await file.datasync();
      await rename(next, this.path);
    } catch (error) {
      await file.close().catch(() => {});
      // A disk that is full needs the room.
      await rm(next, { force: true }).catch(() => {});
      throw error;
    }
    const replaced = this.#file;
    this.#file = file;
    this.#size = bytes.length;
    this.#torn = false;
    this.#nameUncertain = true;
    // Nothing that matters is in it any more.
    await replaced.close().catch(() => {});
    await this.#makeNameCertain();
  }

  async #makeNameCertain(): Promise<void> {
    if (!this.#nameUncertain) return;
    await syncFolder(this.path);
    this.#nameUncertain = false;
  }

  async #write(bytes: Buffer): Promise<void> {
    // Else a power cut could bring back the file from before the compaction, without what is appended now.
    await this.#makeNameCertain();
    // A torn half that could not be taken back must go before anything is written behind it.
    if (this.#torn) await this.#file.truncate(this.#size);
    this.#torn = true;
    try {
      let written = 0;
      while (written < bytes.length) {
        const result = await this.#file.write(bytes, written, bytes.length - written);
        written += result.bytesWritten;
      }
      await this.#file.datasync();
      this.#size += bytes.length;
      this.#torn = false;
    } catch (error) {
      await this.#file.truncate(this.#size);
      this.#torn = false;
      throw error;
    }
  }
}

async function settle(work: Promise<void>, waiting: { resolve: () => void; reject: (error: unknown) => void }[]): Promise<void> {
  try {
    await work;
    for (const { resolve } of waiting) resolve();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const problem = new Problem('ledger_unavailable', `The ledger cannot be written: ${message}`, {}, { cause: error });
    for (const { reject } of waiting) reject(problem);
  }
}
