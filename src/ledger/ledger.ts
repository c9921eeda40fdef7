import { type Clock, rfc3339 } from '../lib/clock.ts';
import { Journal } from './journal.ts';

/** What the ledger keeps: the last value of each key. Values are JSON; their types belong to the modules that own the kind. */
export type LedgerKind = 'subject' | 'reset' | 'fault' | 'operation';

interface Entry {
  at: string;
  kind: LedgerKind;
  id: string;
  /** Null: forgotten. */
  value: unknown;
}

/** What was found wrong with the file when it was opened. */
export interface LedgerDamage {
  tornBytes: number;
  damagedLines: number[];
}

/** Below this many bytes a compaction is not worth its renames. */
const compactFrom = 1 << 20;

/**
 * The private, durable record of what must be undone: a map from kind and id to a value, whose every change is on the disk before
 * `put` resolves. A change that cannot be made durable rejects with `ledger_unavailable` and is not visible either.
 */
export class Ledger {
  readonly damage: LedgerDamage;
  #journal: Journal;
  #clock: Clock;
  #live = new Map<string, Entry>();
  #sizeAfterCompaction = 0;
  #writable = true;
  /** Called when the file could not be made smaller; nothing is lost. */
  onCompactionError: (error: unknown) => void = () => {};

  private constructor(journal: Journal, clock: Clock, entries: Entry[], damage: LedgerDamage) {
    this.#journal = journal;
    this.#clock = clock;
    this.damage = damage;
    for (const entry of entries) this.#remember(entry);
  }

  static async open(path: string, clock: Clock): Promise<Ledger> {
    const { journal, records, tornBytes, damagedLines } = await Journal.open(path);
    return new Ledger(journal, clock, records.filter(isEntry), { tornBytes, damagedLines });
  }

  /** False once a write has failed, until one succeeds again. */
  get writable(): boolean {
    return this.#writable;
  }

  async put(kind: LedgerKind, id: string, value: unknown): Promise<void> {
    // The text is taken now: a caller may go on changing its object while the disk works.
    const entry: Entry = { at: rfc3339(this.#clock.now()), kind, id, value: structuredClone(value) };
    try {
      await this.#journal.append(entry, () => this.#remember(entry));
      this.#writable = true;
    } catch (error) {
      this.#writable = false;
      throw error;
    }
    await this.#compactIfWorth();
  }

  forget(kind: LedgerKind, id: string): Promise<void> {
    return this.put(kind, id, null);
  }

  /** The last values of a kind, oldest change first. Copies. */
  all<T>(kind: LedgerKind): { id: string; value: T }[] {
    return [...this.#live.values()].filter((e) => e.kind === kind).map((e) => ({ id: e.id, value: structuredClone(e.value) as T }));
  }

  /** Tries whether the ledger can be written now. */
  async probe(): Promise<boolean> {
    try {
      await this.forget('operation', 'probe');
    } catch {
      return false;
    }
    return true;
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #remember(entry: Entry): void {
    const key = `${entry.kind}/${entry.id}`;
    this.#live.delete(key);
    if (entry.value !== null) this.#live.set(key, entry);
  }

  async #compactIfWorth(): Promise<void> {
    if (this.#journal.size < compactFrom || this.#journal.size < 4 * this.#sizeAfterCompaction) return;
    this.#sizeAfterCompaction = this.#journal.size;
    try {
      await this.#journal.compact(() => [...this.#live.values()]);
      this.#sizeAfterCompaction = this.#journal.size;
    } catch (error) {
      // The record is durable in the file as it is; a compaction needs more room than the disk has now.
      this.onCompactionError(error);
    }
  }
}

function isEntry(record: unknown): record is Entry {
  return typeof record === 'object' && record !== null && 'kind' in record && 'id' in record && 'value' in record;
}
