import type { Dispatcher, Pool } from 'undici';
import { orAborted } from '../lib/until.ts';
import type { ApiEvent, ApiInfo } from './api.ts';
import { type Client, derive, textOf } from './client.ts';
import { fromFailure, fromReply } from './errors.ts';
import { linesOf } from './lines.ts';
import { toEngineEvent } from './map.ts';
import { EngineError, type EngineEvent } from './port.ts';

export interface EventFilter {
  labels?: string[];
  sinceSeconds?: number;
  onOpen?: () => void;
}

/**
 * Engine.events over undici, whose idle streams live for ever when told so.
 *
 * The engine sends the headers before it subscribes, so "from now" is asked for by the engine's clock: what happens between
 * the two is replayed from its buffer of 256 events. Network events carry no labels, the engine's own label filter would
 * drop them all: labels are matched here, for containers only, so that both kinds keep one order.
 */
export async function* events(pool: Pool, client: Client, filter: EventFilter, signal: AbortSignal): AsyncGenerator<EngineEvent> {
  const at = { op: 'events', target: filter.labels?.join(',') ?? '' };
  if (signal.aborted) return;
  const link = derive(signal);
  try {
    const since = filter.sinceSeconds === undefined ? await engineNow(client, signal) : sinceText(filter.sinceSeconds);
    const reply = await subscribe(pool, since, link.signal);
    if (reply.statusCode !== 200) throw fromReply(at, reply.statusCode, await textOf(reply.body));
    filter.onOpen?.();
    for await (const line of linesOf(reply.body)) {
      const event = line === '' ? null : toEngineEvent(JSON.parse(line) as ApiEvent);
      if (event && hasLabels(event, filter.labels ?? [])) yield event;
    }
    throw new EngineError('unreachable', 'the engine ended the event stream', { status: null, ...at });
  } catch (error) {
    if (signal.aborted) return;
    throw fromFailure(at, error);
  } finally {
    // Also when the consumer leaves its loop: the connection is of no more use.
    link.abort();
    link.release();
  }
}

function subscribe(pool: Pool, since: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const filters = JSON.stringify({ type: { container: true, network: true } });
  // undici tells an aborted request so only when its connection is there.
  return orAborted(pool.request({ method: 'GET', path: `/events?${new URLSearchParams({ since, filters })}`, signal }), signal);
}

/** All of them, `key` or `key=value`, as the engine's filter has it. */
export function hasLabels(event: EngineEvent, labels: string[]): boolean {
  if (event.type === 'network') return true;
  return labels.every((label) => {
    const cut = label.indexOf('=');
    return cut === -1 ? label in event.attributes : event.attributes[label.slice(0, cut)] === label.slice(cut + 1);
  });
}

async function engineNow(client: Client, signal: AbortSignal): Promise<string> {
  const info = await client.json<ApiInfo>({ op: 'events', target: 'info', method: 'GET', path: '/info', signal });
  const ms = Date.parse(info.SystemTime ?? '');
  if (Number.isNaN(ms)) throw new Error(`no time in the engine's info: ${info.SystemTime}`);
  return sinceText(ms / 1000);
}

/** Seconds and nanoseconds; a microsecond early, as the fraction of a double is no better: the last event may come again. */
function sinceText(seconds: number): string {
  return (seconds - 1e-6).toFixed(9);
}
