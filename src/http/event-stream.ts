import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { EventSource } from '../control/api.ts';
import type { Event } from '../events/log.ts';

/** Which events, from where on. */
export interface StreamOptions {
  /** Events behind this id. */
  after: number;
  subject?: string;
  type?: string;
  heartbeatMs?: number;
  /** How many events may come while the client does not read before it is dropped. */
  mostPending?: number;
}

const batch = 100;

/**
 * Writes Server-Sent Events until the signal aborts. Nothing is buffered here: events are read from the log as fast as the client takes them. Answers
 * why it ended; a client that is too slow is `slow`, and its connection is of no more use.
 */
export async function streamEvents(
  out: Writable,
  source: EventSource,
  options: StreamOptions,
  signal: AbortSignal,
): Promise<'closed' | 'slow'> {
  const { subject, type, heartbeatMs = 15_000, mostPending = 1000 } = options;
  let wake = () => {};
  let blocked: { pending: number; beats: number; give: AbortController } | null = null;
  let beat = false;

  const unsubscribe = source.subscribe(() => {
    wake();
    if (blocked !== null && ++blocked.pending > mostPending) blocked.give.abort();
  });
  const heart = setInterval(() => {
    beat = true;
    wake();
    if (blocked !== null && ++blocked.beats > 1) blocked.give.abort();
  }, heartbeatMs);
  heart.unref();
  const stop = () => {
    wake();
    blocked?.give.abort();
  };
  signal.addEventListener('abort', stop, { once: true });

  /** Null when the client has room for more, else why it never will. */
  const room = async (): Promise<'closed' | 'slow' | null> => {
    const give = new AbortController();
    blocked = { pending: 0, beats: 0, give };
    try {
      await once(out, 'drain', { signal: give.signal });
      return null;
    } catch {
      // Given up, or the connection broke; who owns the connection tells about its errors.
      return give.signal.aborted && !signal.aborted ? 'slow' : 'closed';
    } finally {
      blocked = null;
    }
  };

  try {
    let { cursor, text } = start(source, options.after);
    while (!signal.aborted) {
      const end = text === '' || out.write(text) ? null : await room();
      if (end !== null) return end;
      text = '';
      const newest = source.last;
      const events = source.after(cursor, batch, subject);
      if (events.length > 0) {
        text = events
          .filter((event) => type === undefined || event.type === type || event.type === 'events.gap')
          .map(format)
          .join('');
        cursor = events.at(-1)?.id ?? cursor;
        continue;
      }
      cursor = Math.max(cursor, newest);
      if (!beat && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      if (beat) text = ': still here\n\n';
      beat = false;
    }
    return 'closed';
  } finally {
    clearInterval(heart);
    unsubscribe();
    signal.removeEventListener('abort', stop);
  }
}

/** The greeting, and an event of its own when events that were asked for are no longer there (or never were: the numbers began anew). */
function start(source: EventSource, after: number): { cursor: number; text: string } {
  const hello = 'retry: 2000\n: subjectd events\n\n';
  const { first, last } = source;
  if (after + 1 >= first && after <= last) return { cursor: after, text: hello };
  const cursor = first - 1;
  const gap: Event = { id: cursor, at: new Date().toISOString(), type: 'events.gap', subject: null, data: { asked: after, first, last } };
  return { cursor, text: hello + format(gap) };
}

function format(event: Event): string {
  return `id: ${event.id}\nevent: ${event.type.replace(/[\r\n]/g, ' ')}\ndata: ${JSON.stringify(event)}\n\n`;
}
