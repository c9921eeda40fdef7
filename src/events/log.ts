import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { type Clock, rfc3339 } from '../lib/clock.ts';
import { ndjsonLine, readNdjson } from '../lib/ndjson.ts';

/** One public line about what happened. Ids rise by one and go on after a restart. */
export interface Event {
  id: number;
  at: string;
  type: string;
  /** Null: about the service or its engine. */
  subject: string | null;
  data: Record<string, unknown>;
}

const kept = 10_000;

/**
 * The public record: bounded, numbered, streamed. Written through to a file without a sync (it outlives a crash of the process, and a
 * power cut may cost its last lines: nothing depends on it).
 */
export class EventLog {
  #path: string;
  #clock: Clock;
  #fd: number;
  #events: Event[];
  #linesInFile: number;
  #next: number;
  #listeners = new Set<(event: Event) => void>();
  /** Called when the file cannot be written; the event is still delivered. */
  onWriteError: (error: unknown) => void = () => {};

  private constructor(path: string, clock: Clock, events: Event[], lines: number) {
    this.#path = path;
    this.#clock = clock;
    this.#events = events.slice(-kept);
    this.#linesInFile = lines;
    this.#next = (events.at(-1)?.id ?? 0) + 1;
    this.#fd = openSync(path, 'a', 0o600);
  }

  static open(path: string, clock: Clock): EventLog {
    let bytes = Buffer.alloc(0);
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const { records, goodBytes } = readNdjson(bytes);
    if (goodBytes < bytes.length) writeFileSync(path, bytes.subarray(0, goodBytes), { mode: 0o600 });
    return new EventLog(path, clock, records as Event[], records.length);
  }

  emit(type: string, subject: string | null, data: Record<string, unknown> = {}): Event {
    const event: Event = { id: this.#next++, at: rfc3339(this.#clock.now()), type, subject, data };
    this.#events.push(event);
    if (this.#events.length > kept) this.#events.shift();
    try {
      writeSync(this.#fd, ndjsonLine(event));
      if (++this.#linesInFile > 2 * kept) this.#shrink();
    } catch (error) {
      this.onWriteError(error);
    }
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  /** Events behind `after`, oldest first, at most `limit`. */
  after(after: number, limit: number, matches: (event: Event) => boolean = () => true): Event[] {
    const found: Event[] = [];
    for (const event of this.#events) {
      if (event.id > after && matches(event)) found.push(event);
      if (found.length === limit) break;
    }
    return found;
  }

  /** Newest id so far. */
  get last(): number {
    return this.#next - 1;
  }

  /** Oldest id that is still kept. */
  get first(): number {
    return this.#events[0]?.id ?? this.#next;
  }

  /** Calls the listener for each new event until the answer is called. */
  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #shrink(): void {
    const next = `${this.#path}.next`;
    writeFileSync(next, Buffer.concat(this.#events.map(ndjsonLine)), { mode: 0o600 });
    renameSync(next, this.#path);
    closeSync(this.#fd);
    this.#fd = openSync(this.#path, 'a', 0o600);
    this.#linesInFile = this.#events.length;
  }
}
