import { connect } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { Agent, request } from 'undici';
import { type Engine, EngineError } from '../engine/port.ts';
import type { Clock } from '../lib/clock.ts';
import { atOnce, type Turn } from '../lib/turns.ts';
import { deadline, orAborted } from '../lib/until.ts';
import type { ExecAnswer, HttpAnswer, Node, TcpAnswer, Toolkit, Unreached } from './adapter.ts';

const defaultTimeoutMs = 2000;
/** Shorter than a request's time: who answers again is then tried anew, and not when TCP next repeats itself, after 1, 3 and 7 s. */
const connectTimeoutMs = 1000;
const maxBody = 8 * 1024 * 1024;

/** Connections to the nodes of one generation of a subject; a new generation gets new ones. */
export class Reach {
  #agent = new Agent({
    // More than any adapter asks at once: what waits in the pool loses its own time there.
    connections: 32,
    pipelining: 1,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 10_000,
    connect: { timeout: connectTimeoutMs },
  });
  #engine: Engine;
  #clock: Clock;

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Each request waits for its turn; its time-out begins then. */
  toolkit(subject: string, nodes: readonly Node[], env: Readonly<Record<string, string | undefined>>, turn: Turn = atOnce): Toolkit {
    return {
      subject,
      nodes,
      env,
      clock: this.#clock,
      http: (node, port, path, options, signal) =>
        turn(() => this.#bounded(node, options.timeoutMs, signal, (limited) => this.#http(node, port, path, options, limited)), signal),
      tcp: (node, port, send, done, options, signal) =>
        turn(() => this.#bounded(node, options.timeoutMs, signal, (limited) => tcp(node, port, send, done, limited)), signal),
      exec: (node, argv, options, signal) =>
        turn(() => this.#bounded(node, options.timeoutMs, signal, (limited) => this.#exec(node, argv, limited)), signal),
    };
  }

  /** Drops all connections at once. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** Turns what a node does wrong into `unreached`; only the caller's own abort is thrown. */
  async #bounded<T extends { reached: true }>(
    node: Node,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | Unreached> {
    const limit = timeoutMs ?? defaultTimeoutMs;
    signal.throwIfAborted();
    if (!node.running) return { reached: false, why: 'not running' };
    using limited = deadline(`${node.name} asked`, limit, signal);
    try {
      // An aborted request of undici is told so only when its connection is there, or has failed.
      return await orAborted(ask(limited), limited);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof EngineError && error.reason === 'unreachable') throw error;
      if (limited.aborted) return { reached: false, why: `timeout after ${limit} ms` };
      return { reached: false, why: reason(error) };
    }
  }

  async #http(
    node: Node,
    port: number,
    path: string,
    options: Parameters<Toolkit['http']>[3],
    signal: AbortSignal,
  ): Promise<HttpAnswer & { reached: true }> {
    const response = await request(`http://${host(node)}:${port}${path}`, {
      dispatcher: this.#agent,
      method: options.method ?? 'GET',
      headers: options.headers ?? {},
      body: options.body ?? null,
      signal,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > maxBody) break;
    }
    const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value ?? '')]));
    return { reached: true, status: response.statusCode, headers, text: Buffer.concat(chunks).toString('utf8', 0, maxBody) };
  }

  async #exec(node: Node, argv: string[], signal: AbortSignal): Promise<ExecAnswer & { reached: true }> {
    return { reached: true, ...(await this.#engine.exec(node.containerId, argv, signal)) };
  }
}

function host(node: Node): string {
  if (node.address === null) throw new Error('no address');
  return node.address.includes(':') ? `[${node.address}]` : node.address;
}

function tcp(
  node: Node,
  port: number,
  send: string,
  done: (received: string) => boolean,
  signal: AbortSignal,
): Promise<TcpAnswer & { reached: true }> {
  return new Promise((resolve, reject) => {
    if (node.address === null) throw new Error('no address');
    let text = '';
    const decoder = new StringDecoder('utf8');
    const socket = connect({ host: node.address, port });
    const end = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => socket.write(send));
    socket.on('data', (chunk) => {
      text += decoder.write(chunk);
      if (done(text) || text.length > maxBody) end(() => resolve({ reached: true, text }));
    });
    socket.on('end', () => end(() => resolve({ reached: true, text })));
    socket.on('error', (error) => end(() => reject(error)));
  });
}

function reason(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection in time';
  if (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET') return 'connection closed';
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'no route';
  return error instanceof Error ? error.message : String(error);
}
