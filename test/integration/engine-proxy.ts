import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP way to the engine's socket that can be cut, and that counts the requests it carries. */
export class EngineProxy {
  requests = 0;
  private readonly open = new Set<Socket>();
  private bytesUntilCut = Number.POSITIVE_INFINITY;
  private readonly server: Server;

  private constructor(socketPath: string) {
    this.server = createServer((client) => this.carry(client, connect(socketPath)));
  }

  static async start(socketPath: string): Promise<EngineProxy> {
    const proxy = new EngineProxy(socketPath);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get dockerHost(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `tcp://127.0.0.1:${address.port}`;
  }

  get connections(): number {
    return this.open.size;
  }

  /** Drops the connection that carries the nth byte of an answer from now; then all is well again. */
  cutAfter(bytes: number): void {
    this.bytesUntilCut = bytes;
  }

  /** Drops every connection. */
  cut(): void {
    for (const client of this.open) client.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private carry(client: Socket, engine: Socket): void {
    this.open.add(client);
    client.on('data', (data) => {
      this.requests += data.toString('latin1').match(/^(GET|POST|PUT|DELETE) \S+ HTTP\/1\.1\r$/gm)?.length ?? 0;
      engine.write(data);
    });
    engine.on('data', (data) => {
      const whole = data.length < this.bytesUntilCut;
      client.write(whole ? data : data.subarray(0, this.bytesUntilCut));
      this.bytesUntilCut = whole ? this.bytesUntilCut - data.length : Number.POSITIVE_INFINITY;
      if (!whole) client.destroySoon();
    });
    const end = () => {
      this.open.delete(client);
      client.destroySoon();
      engine.destroySoon();
    };
    for (const socket of [client, engine]) socket.on('end', end).on('close', end).on('error', end);
  }
}
