import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, rfc3339 } from '../lib/clock.ts';
import { ndjsonLine, readNdjson } from '../lib/ndjson.ts';

/** One public line about what happened. Ids rise by one and go on after a restart; where some are left out, events may have been lost. */
export interface Event {
  id: number;
  at: string;
  type: string;
  /** Null: about the service or its engine. */
  subject: string | null;
  data: Record<string, unknown>;
}

const kept = 10_000;
/** How many numbers are taken at a time: so many are left out after a crash, and so seldom is the disk waited for. */
const block = 1000;
/** Stands where events may be missing. It is never in the file: the numbers that are left out there say the same. */
const gapType = 'events.gap';
/** No write to it succeeds; the number of a closed file soon is another file's. */
const closedFd = -1;
const emptyForAppending = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;

/**
 * The public record: bounded, numbered, streamed. Written through to a file without a sync (it outlives a crash of the process, and a
 * power cut may cost its last lines). No number is given twice, whatever becomes of the lines: all are below a durable mark. (Only when
 * neither the mark nor the lines could be written for half a block can a number that was given not be known any more.)
 */
export class EventLog {
  #path: string;
  #clock: Clock;
  #fd: number;
  #mark: Mark;
  #events: Event[];
  #linesInFile: number;
  #next: number;
  /** The file ends in half a line. */
  #torn = false;
  #listeners = new Set<(event: Event) => void>();
  /** Called when a file cannot be written; the event is still delivered. */
  onWriteError: (error: unknown) => void = () => {};

  private constructor(path: string, clock: Clock, events: Event[], mark: Mark) {
    this.#path = path;
    this.#clock = clock;
    this.#mark = mark;
    this.#linesInFile = events.length;
    this.#next = Math.max((events.at(-1)?.id ?? 0) + 1, mark.value);
    this.#events = withGaps(events.slice(-kept), this.#next, rfc3339(clock.now()));
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
    if (goodBytes < bytes.length) truncateSync(path, goodBytes);
    const events = records.filter(isEvent);
    return new EventLog(path, clock, events, new Mark(`${path}.mark`, (events.at(-1)?.id ?? 0) + 1));
  }

  emit(type: string, subject: string | null, data: Record<string, unknown> = {}): Event {
    // Long before the block is used up: when the mark cannot be written now, each of the next events tries again.
    if (this.#next + block / 2 > this.#mark.value) this.#trying(() => this.#mark.set(this.#next + block));
    const event: Event = { id: this.#next++, at: rfc3339(this.#clock.now()), type, subject, data };
    this.#events.push(event);
    if (this.#events.length > kept) this.#events.shift();
    this.#trying(() => this.#write(event));
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  /** Events behind `after`, oldest first, at most `limit`. An `events.gap` matches always: any event may be missing there. */
  after(after: number, limit: number, matches: (event: Event) => boolean = () => true): Event[] {
    const found: Event[] = [];
    for (const event of this.#events) {
      if (event.id > after && (event.type === gapType || matches(event))) found.push(event);
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
    // The rest of the block was not given: the next run goes on without a gap.
    this.#trying(() => this.#mark.set(this.#next));
    this.#mark.close();
    closeSync(this.#fd);
    this.#fd = closedFd;
  }

  #trying(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.onWriteError(error);
    }
  }

  #write(event: Event): void {
    const line = ndjsonLine(event);
    // Behind half a line only that one is lost.
    const bytes = this.#torn ? Buffer.concat([Buffer.from('\n'), line]) : line;
    writeAll(this.#fd, bytes, () => {
      this.#torn = true;
    });
    this.#torn = false;
    if (++this.#linesInFile > 2 * kept) this.#shrink();
  }

  #shrink(): void {
    const next = `${this.#path}.next`;
    const events = this.#events.filter((event) => event.type !== gapType);
    // The open file goes on being written to under its new name: opening it again could fail.
    const fd = openSync(next, emptyForAppending, 0o600);
    try {
      writeAll(fd, Buffer.concat(events.map(ndjsonLine)));
      // Else a power cut could cost all lines.
      fdatasyncSync(fd);
      renameSync(next, this.#path);
    } catch (error) {
      closeSync(fd);
      rmSync(next, { force: true });
      throw error;
    }
    const replaced = this.#fd;
    this.#fd = fd;
    this.#linesInFile = events.length;
    closeSync(replaced);
  }
}

/**
 * A durable number in a file of its own: no event's id was ever as high. Written in place and through one descriptor, so that neither a full disk
 * nor a lack of descriptors stops it.
 */
class Mark {
  #fd: number;
  #value: number;

  /** What is not there, or is no number, is taken to be `least`, or a block more: as far as it can be told, it was not above. */
  constructor(path: string, least: number) {
    this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const text = readFileSync(this.#fd, 'utf8');
    this.#value = text === '' ? least : /^\d{15}\n/.test(text) ? Number.parseInt(text, 10) : least + block;
    const folder = openSync(dirname(path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  get value(): number {
    return this.#value;
  }

  set(value: number): void {
    writeAll(this.#fd, Buffer.from(`${String(value).padStart(15, '0')}\n`), undefined, 0);
    fdatasyncSync(this.#fd);
    this.#value = value;
  }

  close(): void {
    closeSync(this.#fd);
    this.#fd = closedFd;
  }
}

/** A write may be short: a full disk takes what fits, and only the next write fails. `onBegun` is called when the first bytes are in the file. */
function writeAll(fd: number, bytes: Buffer, onBegun: () => void = () => {}, at: number | null = null): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, at === null ? null : at + done);
    onBegun();
  }
}

/** The events, with an `events.gap` wherever numbers are left out; it has the number before the next event's, as one that was lost had. */
function withGaps(events: Event[], next: number, now: string): Event[] {
  return events.flatMap((event, n) => {
    const follower = events[n + 1];
    const first = follower?.id ?? next;
    if (first <= event.id + 1) return [event];
    const data = { asked: event.id, first, last: next - 1 };
    return [event, { id: first - 1, at: follower?.at ?? now, type: gapType, subject: null, data }];
  });
}

function isEvent(record: unknown): record is Event {
  return typeof record === 'object' && record !== null && 'id' in record && Number.isSafeInteger(record.id);
}
