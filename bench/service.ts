import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error: plain JavaScript, which runs before anything is installed.
import { NODE_FLAGS } from '../scripts/setup/service.mjs';
import { deadline, until } from '../src/lib/until.ts';
import { portOffset, prefix, root } from './names.ts';

const startMs = 60_000;
const stopMs = 40_000;
const answerMs = 200_000;

/** The service in a process of its own, with a data directory and settings of its own, its log in a file. */
export class Service {
  readonly url: string;
  #child: ChildProcess;
  #dir: string;

  private constructor(url: string, child: ChildProcess, dir: string) {
    this.url = url;
    this.#child = child;
    this.#dir = dir;
  }

  /** Starts one; rejects with the end of its log when it does not become ready. Whoever gets one must `stop` it. */
  static async start(env: Record<string, string>, signal: AbortSignal): Promise<Service> {
    signal.throwIfAborted();
    const dir = mkdtempSync(join(tmpdir(), 'subjectd-bench-'));
    const port = await freePort();
    const log = openSync(join(dir, 'log'), 'a');
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SUBJECTD_'));
    const child = spawn(process.execPath, [...NODE_FLAGS, join(root, 'dist/src/main.js')], {
      env: {
        ...Object.fromEntries(inherited),
        SUBJECTD_PORT: String(port),
        SUBJECTD_DATA_DIR: join(dir, 'data'),
        SUBJECTD_PROJECT_PREFIX: prefix,
        SUBJECTD_PORT_OFFSET: String(portOffset),
        ...env,
      },
      stdio: ['ignore', log, log],
      // Ctrl-C in a terminal goes to a whole process group; this one is to be stopped in order.
      detached: true,
    });
    closeSync(log);
    const service = new Service(`http://127.0.0.1:${port}`, child, dir);
    try {
      using limited = deadline('start of the service', startMs, signal);
      await until(() => service.#ready(limited), 50, limited);
      return service;
    } catch (error) {
      const why = new Error(`the service did not start; the end of its log:\n${service.logTail()}`, { cause: error });
      await service.stop();
      throw why;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The last lines of its log. */
  logTail(): string {
    return readFileSync(join(this.#dir, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }

  /** One call; answers the body of a success and rejects with everything else. */
  async call<T>(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<T> {
    using limited = deadline(`${method} ${path}`, answerMs, signal);
    const response = await fetch(`${this.url}${path}`, {
      method,
      signal: limited,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Ends the process, by force when it does not end by itself, and removes its data. Its subjects stay on the engine. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      const force = setTimeout(() => child.kill('SIGKILL'), stopMs);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(force);
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #ready(signal: AbortSignal): Promise<true | undefined> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) throw new Error(`it ended with ${signalCode ?? exitCode}`);
    const response = await fetch(`${this.url}/readyz`, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return null;
    });
    return response?.ok ? true : undefined;
  }
}

/** Has a service for the time of some work. */
export async function withService<T>(env: Record<string, string>, signal: AbortSignal, work: (service: Service) => Promise<T>): Promise<T> {
  const service = await Service.start(env, signal);
  try {
    return await work(service);
  } catch (error) {
    if (!signal.aborted) console.error(`the end of the service's log:\n${service.logTail()}`);
    throw error;
  } finally {
    await service.stop();
  }
}

/** A port of the loopback that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
