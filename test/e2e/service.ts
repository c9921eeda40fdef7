import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Problem } from '../../src/lib/problem.ts';
import { deadline, until } from '../../src/lib/until.ts';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** What the tests' subjects are called and where their ports are, so that they can run beside a service that somebody uses. */
export const testEnv = {
  SUBJECTD_PROJECT_PREFIX: process.env.SUBJECTD_PROJECT_PREFIX ?? 't-',
  SUBJECTD_PORT_OFFSET: process.env.SUBJECTD_PORT_OFFSET ?? '5000',
  PD_IMAGE: process.env.PD_IMAGE ?? 'subjectd-standin/pd:test',
  TIKV_IMAGE: process.env.TIKV_IMAGE ?? 'subjectd-standin/tikv:test',
};

export interface Reply<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: T;
}

/** A problem document as it came over the wire. */
export type ProblemReply = ReturnType<Problem['toBody']>;

/** The real service in a process of its own, with its own data directory. */
export class Service {
  readonly url: string;
  readonly dataDir: string;
  #env: Record<string, string>;
  #child: ChildProcess | null = null;
  #output = '';

  private constructor(port: number, dataDir: string, env: Record<string, string>) {
    this.url = `http://127.0.0.1:${port}`;
    this.dataDir = dataDir;
    this.#env = { ...testEnv, SUBJECTD_PORT: String(port), SUBJECTD_DATA_DIR: dataDir, SUBJECTD_LOG_LEVEL: 'info', ...env };
  }

  /** Starts one and waits until it is ready. */
  static async start(env: Record<string, string> = {}): Promise<Service> {
    const service = new Service(await freePort(), mkdtempSync(join(tmpdir(), 'subjectd-e2e-')), env);
    await service.boot();
    return service;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get output(): string {
    return this.#output;
  }

  /** Starts the process (again), on the same data directory. */
  async boot(): Promise<void> {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SUBJECTD_')));
    const child = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
      env: { ...inherited, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString('utf8');
      });
    }
    using limited = deadline('start of the service', 60_000);
    await until(
      async (signal) => {
        if (child.exitCode !== null) throw new Error(`the service exited with ${child.exitCode}:\n${this.#output}`);
        return fetch(`${this.url}/readyz`, { signal }).then(
          (r) => (r.ok ? true : undefined),
          () => undefined,
        );
      },
      50,
      limited,
    );
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(200_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as T };
  }

  get<T = Record<string, unknown>>(path: string): Promise<Reply<T>> {
    return this.call<T>('GET', path);
  }

  post<T = Record<string, unknown>>(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Reply<T>> {
    return this.call<T>('POST', path, body, headers);
  }

  delete<T = Record<string, unknown>>(path: string): Promise<Reply<T>> {
    return this.call<T>('DELETE', path);
  }

  /** Tears down every subject, stops the process and looks that nothing with its owner's label is left on the engine. */
  async close(): Promise<void> {
    if (this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null) {
      const { body } = await this.get<{ subjects: { name: string }[] }>('/v1/subjects');
      for (const { name } of body.subjects) await this.delete(`/v1/subjects/${name}`);
    }
    await this.kill('SIGTERM');
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** A port that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The docker CLI where there is one, for looking from outside. */
export function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** Debian's Compose in a container with the socket mounted. */
export function compose(...args: string[]): string {
  const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');
  return docker('run', '--rm', '-v', `${socket}:/var/run/docker.sock`, 'subjectd/compose-peer:1', ...args);
}

/** Names of what carries a project's label on the engine: containers, networks, volumes. */
export function leftovers(project: string): string[] {
  const filter = `label=com.docker.compose.project=${project}`;
  const lines = [
    docker('ps', '-aq', '--filter', filter),
    docker('network', 'ls', '-q', '--filter', filter),
    docker('volume', 'ls', '-q', '--filter', filter),
  ];
  return lines.flatMap((l) => l.split('\n')).filter((l) => l !== '');
}
