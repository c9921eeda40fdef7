import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { type LoggerOptions, stdSerializers } from 'pino';
import { parseHost } from './http/host.ts';
import { parseRange, type Range } from './reset/subnet.ts';

/** Everything that can be set, with units. All settings are environment variables; the README lists them, and a test compares. */
export interface Settings {
  host: string;
  port: number;
  token: string | null;
  dataDir: string;
  /** Further folders of kinds. */
  subjectsDirs: string[];
  projectPrefix: string;
  portOffset: number;
  logLevel: string;
  allowedHosts: string[];
  advertiseHost: string | null;
  subnetPool: Range;
  healthIntervalMs: number;
  supervisionIntervalMs: number;
  /** CPU priority of the service's process; 0 leaves it as it is. */
  nice: number;
  dockerHost: string | null;
  toolboxImage: string;
  engineSocket: string;
}

/** Default of each variable; null: none. */
export const settingDefaults = {
  SUBJECTD_HOST: '127.0.0.1',
  SUBJECTD_PORT: '8080',
  SUBJECTD_TOKEN: null,
  SUBJECTD_DATA_DIR: '.data',
  SUBJECTD_SUBJECTS_DIR: null,
  SUBJECTD_PROJECT_PREFIX: '',
  SUBJECTD_PORT_OFFSET: '0',
  SUBJECTD_LOG_LEVEL: 'info',
  SUBJECTD_ALLOWED_HOSTS: '',
  SUBJECTD_ADVERTISE_HOST: null,
  SUBJECTD_SUBNET_POOL: '10.201.0.0/16',
  SUBJECTD_HEALTH_INTERVAL_MS: '1000',
  SUBJECTD_SUPERVISION_INTERVAL_MS: '5000',
  SUBJECTD_NICE: '-10',
  SUBJECTD_TOOLBOX_IMAGE: 'subjectd/toolbox:1',
  SUBJECTD_ENGINE_SOCKET: '/var/run/docker.sock',
} as const;

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** Reads the settings; throws an Error with one sentence that names the variable. Relative paths start at `root`. */
export function readSettings(env: Readonly<Record<string, string | undefined>>, root: string): Settings {
  const unknown = Object.keys(env).filter((name) => name.startsWith('SUBJECTD_') && !(name in settingDefaults));
  if (unknown.length > 0) throw new Error(`Unknown setting ${unknown.join(', ')}. Known: ${Object.keys(settingDefaults).join(', ')}.`);
  const text = (name: keyof typeof settingDefaults): string | null =>
    env[name] === undefined || env[name] === '' ? settingDefaults[name] : env[name];
  const integer = (name: keyof typeof settingDefaults, min: number, max: number): number => {
    const value = text(name) ?? '';
    if (!/^-?\d+$/.test(value) || Number(value) < min || Number(value) > max)
      throw new Error(`${name} must be an integer from ${min} to ${max}, not ${JSON.stringify(value)}.`);
    return Number(value);
  };
  const list = (name: keyof typeof settingDefaults, separator: RegExp): string[] =>
    (text(name) ?? '').split(separator).filter((part) => part !== '');

  const host = text('SUBJECTD_HOST') ?? '';
  const token = text('SUBJECTD_TOKEN');
  if (!loopback.has(host) && token === null) {
    throw new Error(
      `SUBJECTD_HOST is ${host}, which others can reach: set SUBJECTD_TOKEN too, since who can call this service is root on the engine’s host.`,
    );
  }
  if (token !== null && token.length < 16) throw new Error('SUBJECTD_TOKEN must have at least 16 characters.');
  const prefix = text('SUBJECTD_PROJECT_PREFIX') ?? '';
  if (!/^([a-z0-9][a-z0-9_-]{0,20})?$/.test(prefix))
    throw new Error('SUBJECTD_PROJECT_PREFIX must be lower-case letters, digits, - and _, at most 21.');
  const logLevel = text('SUBJECTD_LOG_LEVEL') ?? 'info';
  if (!logLevels.includes(logLevel)) throw new Error(`SUBJECTD_LOG_LEVEL must be one of ${logLevels.join(', ')}.`);
  const subnetPool = parseRange(text('SUBJECTD_SUBNET_POOL') ?? '');
  if (subnetPool === null || subnetPool.bits > 24)
    throw new Error('SUBJECTD_SUBNET_POOL must be an IPv4 range of /24 or larger, like 10.201.0.0/16.');
  const allowedHosts = list('SUBJECTD_ALLOWED_HOSTS', /[,\s]+/);
  const noHost = allowedHosts.find((entry) => !canBeHost(entry));
  if (noHost !== undefined) {
    throw new Error(
      `SUBJECTD_ALLOWED_HOSTS must be host names or addresses (IPv6 in brackets), each with or without a port, as in "lab.example:8080"; ${JSON.stringify(noHost)} is none.`,
    );
  }
  const advertiseHost = text('SUBJECTD_ADVERTISE_HOST');
  if (advertiseHost !== null && !isIPv6(advertiseHost) && !(canBeHost(advertiseHost) && parseHost(advertiseHost)?.port === null)) {
    throw new Error(
      `SUBJECTD_ADVERTISE_HOST must be a host name or an address, without a scheme or a port, as in "lab.example"; ${JSON.stringify(advertiseHost)} is none.`,
    );
  }

  return {
    host,
    port: integer('SUBJECTD_PORT', 0, 65_535),
    token,
    dataDir: resolve(root, text('SUBJECTD_DATA_DIR') ?? '.data'),
    subjectsDirs: list('SUBJECTD_SUBJECTS_DIR', /:/).map((dir) => resolve(root, dir)),
    projectPrefix: prefix,
    portOffset: integer('SUBJECTD_PORT_OFFSET', 0, 60_000),
    logLevel,
    allowedHosts,
    advertiseHost: advertiseHost?.replace(/^\[(.*)\]$/, '$1') ?? null,
    subnetPool,
    healthIntervalMs: integer('SUBJECTD_HEALTH_INTERVAL_MS', 100, 60_000),
    supervisionIntervalMs: integer('SUBJECTD_SUPERVISION_INTERVAL_MS', 500, 60_000),
    nice: integer('SUBJECTD_NICE', -20, 19),
    toolboxImage: text('SUBJECTD_TOOLBOX_IMAGE') ?? '',
    engineSocket: text('SUBJECTD_ENGINE_SOCKET') ?? '',
    dockerHost: env.DOCKER_HOST === undefined || env.DOCKER_HOST === '' ? null : env.DOCKER_HOST,
  };
}

/** What a `Host` header can be equal to: no URL, no pattern. */
function canBeHost(text: string): boolean {
  const host = parseHost(text);
  if (host === null) return false;
  if (host.port !== null && (Number(host.port) < 1 || Number(host.port) > 65_535)) return false;
  return host.name.startsWith('[') ? isIPv6(host.name.slice(1, -1)) : /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/.test(host.name);
}

/** How the service logs: an error has its message, stack, code and causes under either name. pino by itself knows `err` only, and prints `{}` for `error`. */
export function loggerOptions({ logLevel }: Pick<Settings, 'logLevel'>): LoggerOptions {
  const serializers = { err: stdSerializers.errWithCause, error: stdSerializers.errWithCause };
  return { level: logLevel, redact: ['req.headers.authorization'], serializers };
}
