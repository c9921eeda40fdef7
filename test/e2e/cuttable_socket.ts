import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const engineSocket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');

/** A way to the engine's socket that can be taken away, as when the engine stops: open connections break, new ones are refused. */
export class CuttableSocket {
  readonly dockerHost: string;
  #dir: string;
  #path: string;
  #open = new Set<Socket>();
  #server: Server | null = null;

  private constructor(dir: string) {
    this.#dir = dir;
    this.#path = join(dir, 'docker.sock');
    this.dockerHost = `unix://${this.#path}`;
  }

  static async open(name: string): Promise<CuttableSocket> {
    const socket = new CuttableSocket(mkdtempSync(join(tmpdir(), `subjectd-${name}`)));
    await socket.mend();
    return socket;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    if (this.#server !== null) return;
    this.#server = createServer((client) => {
      const engine = connect(engineSocket);
      for (const [a, b] of [
        [client, engine],
        [engine, client],
      ] as const) {
        this.#open.add(a);
        a.pipe(b);
        a.on('error', () => b.destroy());
        a.on('close', () => {
          this.#open.delete(a);
          b.destroy();
        });
      }
    });
    this.#server.listen(this.#path);
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    await this.cut();
    rmSync(this.#dir, { recursive: true });
  }
}
