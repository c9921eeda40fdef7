import { Journal } from '../ledger/journal.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Answer } from './answer.ts';

/** The first answer to a key. */
export interface Kept {
  /** Of the method, the path and the body. */
  fingerprint: string;
  /** Milliseconds since the epoch. */
  at: number;
  answer: Answer;
}

/** Where first answers are kept: the newest 1000, for 24 hours. */
export interface IdempotencyStore {
  get(key: string): Kept | undefined;
  /** Kept for this process at once, and for later ones when it resolves. */
  put(key: string, kept: Kept): Promise<void>;
}

const mostKept = 1000;
const keptMs = 24 * 3_600_000;

/** Forgets everything when the process ends. */
export class MemoryIdempotencyStore implements IdempotencyStore {
  #clock: Clock;
  #entries = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): Kept | undefined {
    const kept = this.#entries.get(key);
    return kept !== undefined && this.#clock.now() - kept.at < keptMs ? kept : undefined;
  }

  async put(key: string, kept: Kept): Promise<void> {
    this.#entries.delete(key);
    this.#entries.set(key, kept);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > mostKept && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** What is still worth keeping, oldest first. */
  entries(): { key: string; kept: Kept }[] {
    return [...this.#entries.keys()].flatMap((key) => {
      const kept = this.get(key);
      return kept === undefined ? [] : [{ key, kept }];
    });
  }
}

/** A store that survives restarts and crashes: a journal of its own, compacted when half of it is out of date. */
export function openIdempotencyStore(path: string, clock: Clock = systemClock): Promise<IdempotencyStore & { close(): Promise<void> }> {
  return DurableIdempotencyStore.open(path, clock);
}

class DurableIdempotencyStore implements IdempotencyStore {
  #memory: MemoryIdempotencyStore;
  #journal: Journal;
  #lines: number;
  #compacting = false;

  private constructor(memory: MemoryIdempotencyStore, journal: Journal, lines: number) {
    this.#memory = memory;
    this.#journal = journal;
    this.#lines = lines;
  }

  /** Opens or makes the file; what is in it and is no record of ours is left out. */
  static async open(path: string, clock: Clock): Promise<DurableIdempotencyStore> {
    const { journal, records } = await Journal.open(path);
    const memory = new MemoryIdempotencyStore(clock);
    for (const record of records) if (isRecord(record)) await memory.put(record.key, record.kept);
    return new DurableIdempotencyStore(memory, journal, records.length);
  }

  get(key: string): Kept | undefined {
    return this.#memory.get(key);
  }

  /** Rejects with `ledger_unavailable` when it cannot be made durable. */
  async put(key: string, kept: Kept): Promise<void> {
    await this.#memory.put(key, kept);
    await this.#journal.append({ key, kept });
    this.#lines += 1;
    if (this.#lines <= 2 * mostKept || this.#compacting) return;
    this.#compacting = true;
    try {
      await this.#journal.compact(() => this.#memory.entries());
      this.#lines = this.#memory.entries().length;
    } finally {
      this.#compacting = false;
    }
  }

  close(): Promise<void> {
    return this.#journal.close();
  }
}

function isRecord(value: unknown): value is { key: string; kept: Kept } {
  const { key, kept } = (value ?? {}) as { key?: unknown; kept?: Partial<Kept> };
  const { status, headers } = kept?.answer ?? {};
  return (
    typeof key === 'string' &&
    typeof kept?.at === 'number' &&
    typeof kept.fingerprint === 'string' &&
    typeof status === 'number' &&
    typeof headers === 'object'
  );
}
