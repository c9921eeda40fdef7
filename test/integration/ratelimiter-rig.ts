import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { promisify } from 'node:util';
import { deadline, until } from '../../src/lib/until.ts';

const run = promisify(execFile);
const redisFlags = ['--protected-mode', 'no', '--dir', '/data', '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];

export const limiters = ['limiter1', 'limiter2', 'limiter3'];

/** One call of the docker command; throws with its output when it fails. */
export async function docker(...argv: string[]): Promise<string> {
  return (await run('docker', argv, { maxBuffer: 4 * 1024 * 1024 })).stdout.trim();
}

export interface Answer {
  status: number;
  headers: Record<string, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked into field by field
  body: any;
}

export type CheckBody = { key: string; limit?: number; window_ms?: number };

/** Three real limiters on one real Redis, in containers, a network and a volume of their own. */
export class Rig {
  readonly name = `rl-e2e-${randomBytes(4).toString('hex')}`;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #ports = new Map<string, number>();

  container(node: string): string {
    return `${this.name}-${node}`;
  }

  /** Starts all and waits until each limiter answers. */
  async up(): Promise<void> {
    await docker('network', 'create', this.name);
    await docker('volume', 'create', this.name);
    await this.runRedis();
    await Promise.all(
      limiters.map(async (node) => {
        const where = ['--network', this.name, '--network-alias', node, '-p', '127.0.0.1::8080'];
        await docker('run', '-d', '--name', this.container(node), ...where, '-e', `NODE_ID=${node}`, 'subjectd/ratelimiter:1');
        await this.#findPort(node);
      }),
    );
    await this.allHealth(200);
  }

  /** Removes all that carries this rig's name. */
  async down(): Promise<void> {
    this.#agent.destroy();
    const mine = (await docker('ps', '-aq', '--filter', `name=^/${this.name}-`)).split('\n').filter(Boolean);
    if (mine.length > 0) await docker('rm', '-fv', ...mine);
    await docker('network', 'rm', this.name);
    await docker('volume', 'rm', this.name);
  }

  /** A new Redis container on the same data. */
  async runRedis(): Promise<void> {
    const where = ['--network', this.name, '--network-alias', 'redis', '-v', `${this.name}:/data`];
    await docker('run', '-d', '--name', this.container('redis'), ...where, 'subjectd/redis:8', 'redis-server', ...redisFlags);
  }

  async start(node: string): Promise<void> {
    await docker('start', this.container(node));
    if (limiters.includes(node)) await this.#findPort(node);
  }

  /** A started container is published at another port. */
  async #findPort(node: string): Promise<void> {
    const published = await docker('port', this.container(node), '8080/tcp');
    this.#ports.set(node, Number(published.split('\n')[0]?.split(':').at(-1)));
  }

  redisCli(...argv: string[]): Promise<string> {
    return docker('exec', this.container('redis'), 'redis-cli', '-e', ...argv);
  }

  address(node: string): Promise<string> {
    return docker('inspect', '-f', `{{(index .NetworkSettings.Networks "${this.name}").IPAddress}}`, this.container(node));
  }

  check(node: string, body: CheckBody): Promise<Answer> {
    return this.ask(node, 'POST', '/check', body);
  }

  /** One request to a limiter; throws when no answer comes in 10 s. */
  ask(node: string, method: string, path: string, body?: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const where = { host: '127.0.0.1', port: this.#ports.get(node), agent: this.#agent };
      const sent = request({ ...where, method, path, headers, signal: AbortSignal.timeout(10_000) }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const received = Buffer.concat(chunks).toString();
          const json = String(response.headers['content-type']).includes('json');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: json ? JSON.parse(received) : received });
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  /** Waits until all limiters answer /health with this status. */
  async allHealth(status: 200 | 503): Promise<void> {
    using limit = deadline(`all limiters answering ${status}`, 30_000);
    for (const node of limiters) {
      // A limiter that does not listen yet refuses the connection.
      const probe = async () => ((await this.ask(node, 'GET', '/health').catch(() => null))?.status === status ? true : undefined);
      await until(probe, 20, limit);
    }
  }
}
