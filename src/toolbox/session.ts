import { StringDecoder } from 'node:string_decoder';
import type { EngineSession } from '../engine/port.ts';
import { ToolboxError, type ToolboxErrorCode } from './port.ts';
import type { Calls, Op } from './protocol.ts';

interface Waiting {
  op: Op;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

interface Incoming {
  id?: number | null;
  result?: unknown;
  error?: { code: ToolboxErrorCode; message: string };
  event?: string;
  [member: string]: unknown;
}

/** How much longer than the agent this side waits: the agent's own answer says more. */
const graceMs = 2000;

/** The agent gives a sign of life every 2 s: an engine does not end a session when the container's process was killed. */
const silenceMs = 6000;

/** Questions and answers over one joined connection: JSON lines, answered in any order. */
export class Session {
  readonly ended: Promise<string>;
  #engine: EngineSession;
  #waiting = new Map<number, Waiting>();
  #next = 1;
  #over: string | null = null;
  #why: string | null = null;
  #onEvent: (event: Incoming) => void;
  #silence: NodeJS.Timeout;

  constructor(engine: EngineSession, onEvent: (event: Incoming) => void) {
    this.#engine = engine;
    this.#onEvent = onEvent;
    this.#silence = setTimeout(() => {
      this.#why = `the toolbox said nothing for ${silenceMs} ms`;
      this.#engine.close();
    }, silenceMs);
    this.ended = this.#read();
  }

  /** Throws ToolboxError, or the signal's reason after the agent was told to stop. */
  async call<K extends Op>(op: K, args: Calls[K]['args'], signal: AbortSignal, timeoutMs: number): Promise<Calls[K]['result']> {
    signal.throwIfAborted();
    if (this.#over !== null) throw new ToolboxError('lost', this.#over, op);
    const id = this.#next++;
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      this.#engine.write(`${JSON.stringify({ cancel: id })}\n`);
      this.#settle(id)?.reject(signal.reason);
    };
    try {
      return (await new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { op, resolve, reject });
        signal.addEventListener('abort', onAbort, { once: true });
        timer = setTimeout(() => {
          this.#settle(id)?.reject(new ToolboxError('deadline', `the toolbox did not answer ${op} within ${timeoutMs + graceMs} ms`, op));
        }, timeoutMs + graceMs);
        this.#engine.write(`${JSON.stringify({ id, op, args, timeout_ms: timeoutMs })}\n`);
      })) as Calls[K]['result'];
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#engine.close();
  }

  async #read(): Promise<string> {
    try {
      for await (const line of lines(this.#engine.output)) {
        this.#silence.refresh();
        if (line !== '') this.#take(JSON.parse(line) as Incoming);
      }
    } catch (error) {
      this.#why ??= `the session with the toolbox broke: ${error instanceof Error ? error.message : String(error)}`;
    }
    clearTimeout(this.#silence);
    const why = this.#why ?? 'the session with the toolbox ended';
    this.#over = why;
    this.#engine.close();
    for (const [id, { op, reject }] of [...this.#waiting]) {
      this.#waiting.delete(id);
      reject(new ToolboxError('lost', why, op));
    }
    return why;
  }

  #take(incoming: Incoming): void {
    if (incoming.id == null) {
      if (incoming.event !== 'beat') this.#onEvent(incoming);
      return;
    }
    const waiting = this.#settle(incoming.id);
    if (waiting === null) return;
    if (incoming.error === undefined) waiting.resolve(incoming.result);
    else waiting.reject(new ToolboxError(incoming.error.code, incoming.error.message, waiting.op));
  }

  #settle(id: number): Waiting | null {
    const waiting = this.#waiting.get(id) ?? null;
    this.#waiting.delete(id);
    return waiting;
  }
}

async function* lines(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of source) {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  // An end without a newline: what an engine says that could not start the command.
  yield rest;
}
