import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { EventSource } from '../../control/api.ts';
import type { Event } from '../../events/log.ts';
import { preferredType } from '../accept.ts';
import type { App, Deps } from '../deps.ts';
import { type StreamOptions, streamEvents } from '../event-stream.ts';
import { hangUp } from '../hang-up.ts';
import { operation } from '../operation-schema.ts';
import { EventList, EventQuery } from '../schemas/event.ts';

const defaultListLimit = 100;

/** What happened, as a stream and as a list. */
export function eventRoutes(app: App, { control: { events } }: Deps): void {
  const streams = new Set<AbortController>();
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.abort();
  });

  const get = operation('GET', {
    id: 'getEvents',
    tag: 'Events',
    summary: 'Follow or list the events',
    description:
      'Server-Sent Events: first the kept ones behind `Last-Event-ID` (or `after`), then those that come; without either only those that come. When some that were asked for are no longer kept, the first event is `events.gap`. With `Accept: application/json` a list, oldest first.',
    query: EventQuery,
    headers: {
      'Last-Event-ID': Type.Optional(Type.String({ pattern: '^\\d{1,15}$', description: 'The stream goes on behind this event.' })),
    },
    success: { 200: { description: 'The events.', body: { 'text/event-stream': Type.String(), 'application/json': EventList.ref } } },
  });
  // No HEAD: it would run the stream.
  app.get('/v1/events', { schema: get, exposeHeadRoute: false }, async (request, reply) => {
    const { after, limit = defaultListLimit, subject, type } = request.query;
    const filter = { ...(subject === undefined ? {} : { subject }), ...(type === undefined ? {} : { type }) };
    reply.header('vary', 'accept');
    if (preferredType(request.headers.accept, ['text/event-stream', 'application/json']) === 'application/json') {
      return listEvents(events, { after: after ?? 0, ...filter }, limit);
    }
    const last = request.headers['last-event-id'];
    const from = last === undefined ? (after ?? events.last) : Number(last);
    const stop = new AbortController();
    hangUp(reply).addEventListener('abort', () => stop.abort(), { once: true });
    streams.add(stop);
    try {
      await stream(reply, events, { after: from, ...filter }, stop.signal);
    } finally {
      streams.delete(stop);
    }
    return reply;
  });
}

async function stream(reply: FastifyReply, events: EventSource, options: StreamOptions, signal: AbortSignal): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.on('error', (error) => reply.log.info({ err: error }, 'event stream broke'));
  const own = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...own });
  try {
    const end = await streamEvents(raw, events, options, signal);
    if (end === 'closed') return void raw.end();
    reply.log.warn('event stream dropped: the client does not read');
  } catch (error) {
    reply.log.error({ err: error }, 'event stream failed');
  }
  raw.destroy();
}

/** One page, oldest first. Pages are read from the log until there are enough that match. */
function listEvents(source: EventSource, options: StreamOptions, limit: number): EventList {
  const { subject, type } = options;
  const found: Event[] = [];
  for (let cursor = options.after; ; ) {
    const events = source.after(cursor, 500, subject);
    for (const event of events) {
      if (type !== undefined && event.type !== type && event.type !== 'events.gap') continue;
      // One more than asked for: there is a next page.
      if (found.length === limit) return { events: found, next_cursor: String(found.at(-1)?.id) };
      found.push(event);
    }
    const last = events.at(-1);
    if (last === undefined) return { events: found, next_cursor: null };
    cursor = last.id;
  }
}
