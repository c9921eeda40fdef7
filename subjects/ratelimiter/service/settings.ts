import { hostname } from 'node:os';
import { bounds } from './keys.ts';

/** What a limiter node is told by its environment. */
export interface Settings {
  nodeId: string;
  host: string;
  port: number;
  /** `host:port` under which the other nodes see this one. */
  address: string;
  redisHost: string;
  redisPort: number;
  /** Most a Redis command may take, and most that a connection may stay silent while a command waits. */
  redisTimeoutMs: number;
  defaultLimit: number;
  defaultWindowMs: number;
  logLevel: string;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** Reads the settings; an empty variable counts as not set. Throws an Error that names the variable and what it may be. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const nodeId = text(env, 'NODE_ID', hostname());
  if (!/^[A-Za-z0-9._-]{1,63}$/.test(nodeId))
    throw new Error(`NODE_ID=${nodeId}: it must be 1 to 63 letters, digits, dots, dashes or underscores.`);
  const port = integer(env, 'PORT', 8080, 0, 65_535);
  const logLevel = text(env, 'LOG_LEVEL', 'info');
  if (!logLevels.includes(logLevel)) throw new Error(`LOG_LEVEL=${logLevel}: it must be one of ${logLevels.join(', ')}.`);
  return {
    nodeId,
    host: text(env, 'HOST', '0.0.0.0'),
    port,
    address: text(env, 'ADDRESS', `${nodeId}:${port}`),
    redisHost: text(env, 'REDIS_HOST', 'redis'),
    redisPort: integer(env, 'REDIS_PORT', 6379, 1, 65_535),
    redisTimeoutMs: integer(env, 'REDIS_TIMEOUT_MS', 500, 10, 60_000),
    defaultLimit: integer(env, 'DEFAULT_LIMIT', 100, 0, bounds.limit),
    defaultWindowMs: integer(env, 'DEFAULT_WINDOW_MS', 60_000, 1, bounds.windowMs),
    logLevel,
  };
}

/** The variable, or the fallback when it is not set or empty. */
export function text(env: Readonly<Record<string, string | undefined>>, name: string, fallback: string): string {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? fallback : value;
}

/** The variable as a whole number in a range. Throws an Error that names it. */
export function integer(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const value = text(env, name, String(fallback));
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= min && number <= max)) throw new Error(`${name}=${value}: it must be a whole number from ${min} to ${max}.`);
  return number;
}
