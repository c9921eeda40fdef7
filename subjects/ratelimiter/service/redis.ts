import { createHash } from 'node:crypto';
import { Resolver, lookup as systemLookup } from 'node:dns';
import { createConnection, type LookupFunction, type Socket } from 'node:net';
import { AbstractConnector, Redis } from 'ioredis';
import { Problem } from './problem.ts';

export interface RedisAddress {
  host: string;
  port: number;
  timeoutMs: number;
}

/** A Lua script and its SHA-1, by which Redis knows it. */
export interface Script {
  text: string;
  sha: string;
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

const reconnectEveryMs = 100;
const lookupTimeoutMs = 250;
/** Commands that may wait for replies at once; further ones are refused. */
const maxPending = 2000;
/** Replies by which Redis says that it cannot serve now, rather than that the command is wrong. */
const notNow = /^(LOADING|OOM|MISCONF|READONLY|BUSY|NOREPLICAS|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)\b/;

/**
 * One connection to Redis that fails fast. Nothing is queued while it is down, nothing is sent a second time (a check must not count twice), and a
 * connection that stays silent while a command waits is given up. It reconnects for ever, every 100 ms, and looks its name up each time.
 */
export class RedisConnection {
  readonly #redis: Redis;
  readonly #timeoutMs: number;
  #socket: Socket | null = null;
  #pending = 0;
  #trouble = 'not connected yet';
  #reconnects = 0;

  constructor(address: RedisAddress, on: { up: () => void; down: (why: string) => void }) {
    this.#timeoutMs = address.timeoutMs;
    const open = () => {
      this.#socket = createConnection({
        host: address.host,
        port: address.port,
        family: 4,
        autoSelectFamily: false,
        lookup: boundedLookup,
      });
      return this.#socket;
    };
    this.#redis = new Redis({
      Connector: class extends AbstractConnector {
        constructor() {
          super(reconnectEveryMs);
        }
        connect(): Promise<Socket> {
          this.connecting = true;
          const socket = open();
          this.stream = socket;
          socket.once('error', (error) => {
            this.firstError = error;
          });
          return Promise.resolve(socket);
        }
      },
      connectTimeout: address.timeoutMs,
      commandTimeout: address.timeoutMs,
      retryStrategy: () => reconnectEveryMs,
      maxLoadingRetryTime: reconnectEveryMs,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      disableClientInfo: true,
    });
    this.#redis.on('error', (error: Error) => {
      this.#trouble = error.message;
    });
    let up = false;
    this.#redis.on('ready', () => {
      up = true;
      this.#trouble = 'connection lost';
      on.up();
    });
    this.#redis.on('close', () => {
      this.#reconnects += 1;
      if (up) on.down(this.#trouble);
      up = false;
    });
  }

  get up(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Connections lost or not achieved so far. */
  get failures(): number {
    return this.#reconnects;
  }

  get pending(): number {
    return this.#pending;
  }

  /** Runs one command. Throws `redis_unavailable` within the time-out (at once while Redis is known to be away), or `redis_refused`. */
  async run<T>(command: (redis: Redis) => Promise<T>): Promise<T> {
    if (!this.up) throw new Problem('redis_unavailable', `Redis cannot be reached: ${this.#trouble}.`);
    if (this.#pending >= maxPending) throw new Problem('redis_unavailable', `${maxPending} requests wait for Redis already.`);
    const socket = this.#socket;
    const received = socket?.bytesRead;
    this.#pending += 1;
    try {
      return await command(this.#redis);
    } catch (error) {
      const problem = this.#translate(error);
      if (problem.code === 'redis_unavailable' && !isReply(error) && socket !== null && socket.bytesRead === received) {
        socket.destroy(new Error('no reply in time'));
      }
      throw problem;
    } finally {
      this.#pending -= 1;
    }
  }

  /** Runs a script by its hash, and by its text where Redis does not have it yet. Throws as `run`. */
  async script(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    return this.run(async (redis) => {
      try {
        return await redis.evalsha(script.sha, keys.length, ...keys, ...args);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
        return redis.eval(script.text, keys.length, ...keys, ...args);
      }
    });
  }

  close(): void {
    this.#redis.disconnect();
  }

  #translate(error: unknown): Problem {
    const message = error instanceof Error ? error.message : String(error);
    if (isReply(error)) {
      if (!notNow.test(message)) return new Problem('redis_refused', message, { cause: error });
      return new Problem('redis_unavailable', `Redis cannot serve now: ${message}`, { cause: error });
    }
    const why = message === 'Command timed out' ? `no reply within ${this.#timeoutMs} ms` : this.#trouble;
    return new Problem('redis_unavailable', `Redis did not answer: ${why}.`, { cause: error });
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/**
 * Asks the name servers directly and at most for 250 ms. The system's own look-up may block a thread for many seconds when a name has gone, as a killed
 * container's does, and would then be late when it is back.
 */
const boundedLookup: LookupFunction = (host, options, callback) => {
  if (host === 'localhost') {
    systemLookup(host, options, callback);
    return;
  }
  const resolver = new Resolver({ timeout: lookupTimeoutMs, tries: 1 });
  resolver.resolve4(host, (error, addresses) => {
    const [address] = addresses ?? [];
    if (error || address === undefined) callback(error ?? Object.assign(new Error(`no address for ${host}`), { code: 'ENOTFOUND' }), '', 4);
    else callback(null, address, 4);
  });
};
