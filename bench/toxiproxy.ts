import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deadline, until } from '../src/lib/until.ts';
import { freePort } from './service.ts';

export const toxiproxyVersion = 'v2.12.0';
const module = `github.com/Shopify/toxiproxy/v2/cmd/server@${toxiproxyVersion}`;
const buildMs = 300_000;
const startMs = 10_000;

/** A real toxiproxy in front of one address, built and run in a folder of its own outside the repository. */
export class Toxiproxy {
  readonly port: number;
  #api: string;
  #child: ChildProcess;
  #dir: string;

  private constructor(api: string, port: number, child: ChildProcess, dir: string) {
    this.#api = api;
    this.port = port;
    this.#child = child;
    this.#dir = dir;
  }

  /** Builds and starts one; rejects when there is no Go, or the module cannot be had. Whoever gets one must `stop` it. */
  static async start(upstream: string, signal: AbortSignal): Promise<Toxiproxy> {
    const dir = mkdtempSync(join(tmpdir(), 'subjectd-bench-toxiproxy-'));
    try {
      using building = deadline('the build of toxiproxy', buildMs, signal);
      await promisify(execFile)('go', ['install', module], { env: { ...process.env, GOBIN: dir, GOFLAGS: '' }, signal: building });
      const [apiPort, port] = [await freePort(), await freePort()];
      const child = spawn(join(dir, 'server'), ['-host', '127.0.0.1', '-port', String(apiPort)], { stdio: 'ignore' });
      const proxy = new Toxiproxy(`http://127.0.0.1:${apiPort}`, port, child, dir);
      using starting = deadline('the start of toxiproxy', startMs, signal);
      await until((s) => proxy.#answers(s), 20, starting);
      await proxy.call('POST', '/proxies', signal, { name: 'redis', listen: `127.0.0.1:${port}`, upstream, enabled: true });
      return proxy;
    } catch (error) {
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }

  /** One call of its API; answers how long it took in milliseconds, and rejects when it is refused. */
  async call(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<number> {
    const began = performance.now();
    const response = await fetch(`${this.#api}${path}`, { method, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`toxiproxy: ${method} ${path}: ${response.status} ${text}`);
    return performance.now() - began;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #answers(signal: AbortSignal): Promise<true | undefined> {
    if (this.#child.exitCode !== null) throw new Error(`toxiproxy ended with ${this.#child.exitCode}`);
    return fetch(`${this.#api}/version`, { signal }).then(
      (response) => (response.ok ? true : undefined),
      (error: unknown) => {
        if (signal.aborted) throw error;
        return undefined;
      },
    );
  }
}
