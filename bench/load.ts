import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Load {
  /** From the moment each request was due to the end of its answer. */
  latencies: number[];
  /** How late this process itself was to begin with each one; a part of the latency. */
  lateness: number[];
  /** Answered by something else than 200, or not at all. */
  failed: number;
}

const answerMs = 30_000;

/**
 * Sends requests at an even rate whatever becomes of those before, and answers how long each took from the moment it was due (milliseconds): what a
 * stalled service lets wait is counted in full, so nothing is left to correct. The wait for a free connection and this process's own delays count too.
 * It shares its machine with what it measures, so it does as little as can be: bare connections, one request at a time on each, no HTTP library.
 */
export async function openLoop(
  url: string,
  options: { rate: number; seconds: number; connections: number },
  signal: AbortSignal,
): Promise<Load> {
  const target = new URL(url);
  const total = Math.round(options.rate * options.seconds);
  const load: Load = { latencies: [], lateness: [], failed: 0 };
  const free: Connection[] = [];
  const waiting: number[] = [];
  const end = (connection: Connection, due: number, ok: boolean) => {
    load.latencies.push(performance.now() - due);
    if (!ok) load.failed++;
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else connection.ask(next, end);
  };
  const all = await Promise.all(Array.from({ length: options.connections }, () => Connection.open(target)));
  free.push(...all);
  try {
    const began = performance.now() + 10;
    for (let asked = 0; asked < total; ) {
      signal.throwIfAborted();
      const due = began + (asked / options.rate) * 1000;
      const early = due - performance.now();
      if (early > 0) {
        await delay(Math.max(1, Math.floor(early)));
        continue;
      }
      load.lateness.push(-early);
      asked++;
      const connection = free.pop();
      if (connection === undefined) waiting.push(due);
      else connection.ask(due, end);
    }
    const latest = performance.now() + answerMs;
    while (load.latencies.length < total) {
      signal.throwIfAborted();
      if (performance.now() > latest) throw new Error(`${total - load.latencies.length} requests were never answered`);
      await delay(10);
    }
  } finally {
    for (const connection of all) connection.close();
  }
  return load;
}

type End = (connection: Connection, due: number, ok: boolean) => void;

/** One kept-alive HTTP/1.1 connection with one request on it at a time; made again when it breaks. Understands answers with a Content-Length only. */
class Connection {
  #target: URL;
  #socket: Socket;
  #request: string;
  #current: { due: number; end: End } | null = null;
  #answer = '';
  #closed = false;

  private constructor(target: URL, socket: Socket) {
    this.#target = target;
    this.#request = `GET ${target.pathname}${target.search} HTTP/1.1\r\nhost: ${target.host}\r\n\r\n`;
    this.#socket = socket;
    this.#listen();
  }

  static async open(target: URL): Promise<Connection> {
    const socket = dial(target);
    await once(socket, 'connect');
    return new Connection(target, socket);
  }

  ask(due: number, end: End): void {
    this.#current = { due, end };
    this.#socket.write(this.#request);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      if (this.#closed) return;
      this.#socket = dial(this.#target);
      this.#listen();
      this.#done(false);
    });
  }

  /** An answer without a length, or more than was asked for, breaks the connection: it counts as failed. */
  #read(text: string): void {
    this.#answer += text;
    const head = this.#answer.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(this.#answer.slice(0, head + 2))?.[1];
    const missing = length === undefined ? -1 : head + 4 + Number(length) - this.#answer.length;
    if (missing < 0) this.#socket.destroy();
    else if (missing === 0) this.#done(this.#answer.startsWith('HTTP/1.1 200 '));
  }

  #done(ok: boolean): void {
    const current = this.#current;
    this.#current = null;
    this.#answer = '';
    current?.end(this, current.due, ok);
  }
}

function dial({ hostname, port }: URL): Socket {
  return connect({ host: hostname, port: Number(port), noDelay: true });
}
