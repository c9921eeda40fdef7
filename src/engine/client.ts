import { setMaxListeners } from 'node:events';
import type { Transport, TransportReply, TransportRequest } from './dockerode-client.ts';
import { type CallSite, fromFailure, fromReply } from './errors.ts';

/** One request to the engine, and what it is for. */
export type Call = TransportRequest & CallSite & { /** Statuses from 300 on that are an answer, not an error. */ accept?: number[] };

/** Requests whose only failures are EngineError and the signal's reason. */
export interface Client {
  /** Gives the answer to `read`, which must take the body to its end or throw, which drops the connection. */
  request<T>(call: Call, read: (reply: TransportReply) => Promise<T>): Promise<T>;
  json<T>(call: Call): Promise<T>;
  /** Answers the status; the body is of no interest. */
  done(call: Call): Promise<number>;
}

export function createClient(transport: Transport): Client {
  async function request<T>(call: Call, read: (reply: TransportReply) => Promise<T>): Promise<T> {
    call.signal.throwIfAborted();
    const link = derive(call.signal);
    try {
      const reply = await transport({ ...call, signal: link.signal });
      if (reply.status >= 300 && !call.accept?.includes(reply.status)) throw fromReply(call, reply.status, await textOf(reply.body));
      return await read(reply);
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason;
      throw fromFailure(call, error);
    } finally {
      link.release();
    }
  }
  return {
    request,
    json: <T>(call: Call) => request<T>(call, async (reply) => JSON.parse(await textOf(reply.body)) as T),
    done: (call) => request(call, async (reply) => textOf(reply.body).then(() => reply.status)),
  };
}

/**
 * A signal for one request, off its parent again when the request is over. A hundred requests under one long-lived signal
 * would otherwise each leave listeners on it; AbortSignal.any leaves a reference on it in Node 20.
 */
export function derive(parent: AbortSignal): { signal: AbortSignal; abort(): void; release(): void } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent.reason);
  setMaxListeners(0, parent);
  parent.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    release: () => parent.removeEventListener('abort', onAbort),
  };
}

/** The whole body as UTF-8. */
export async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
