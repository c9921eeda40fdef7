import { Pool } from 'undici';
import type { ApiInfo } from './api.ts';
import { type Client, createClient } from './client.ts';
import { type Connection, parseDockerHost, urlHost } from './connection.ts';
import { containerMethods } from './containers.ts';
import { createTransport } from './dockerode-client.ts';
import { events } from './events.ts';
import { imageMethods } from './images.ts';
import { networkMethods } from './networks.ts';
import type { Engine, EngineInfo } from './port.ts';
import { openSession } from './session.ts';
import { volumeMethods } from './volumes.ts';

/**
 * The engine that `dockerHost` names (default: DOCKER_HOST, then the default socket). Connects on the first call; throws an
 * Error at once when the value cannot be used. `close` drops the event streams.
 */
export function createEngine(options: { dockerHost?: string } = {}): Engine & { close(): Promise<void> } {
  const connection = parseDockerHost(options.dockerHost ?? process.env.DOCKER_HOST);
  const client = createClient(createTransport(connection));
  const streams = streamPool(connection);
  return {
    ping: async (signal) => {
      await client.done({ op: 'ping', target: '', method: 'GET', path: '/_ping', signal });
    },
    info: (signal) => info(client, signal),
    ...containerMethods(client),
    ...networkMethods(client),
    ...volumeMethods(client),
    ...imageMethods(client),
    openSession: (id, argv, signal) => openSession(connection, client, id, argv, signal),
    events: (filter, signal) => events(streams, client, filter, signal),
    close: () => streams.destroy(),
  };
}

async function info(client: Client, signal: AbortSignal): Promise<EngineInfo> {
  const at = { op: 'info', target: '' };
  const [system, version] = await Promise.all([
    client.json<ApiInfo>({ ...at, method: 'GET', path: '/info', signal }),
    client.json<{ ApiVersion: string }>({ ...at, method: 'GET', path: '/version', signal }),
  ]);
  return {
    id: system.ID,
    version: system.ServerVersion,
    apiVersion: version.ApiVersion,
    cgroupVersion: system.CgroupVersion ?? '1',
    kernel: system.KernelVersion,
    operatingSystem: system.OperatingSystem,
    cpus: system.NCPU,
    memoryBytes: system.MemTotal,
  };
}

/** Streams that may say nothing for days: no time-out on headers or body. */
function streamPool(connection: Connection): Pool {
  const idle = { headersTimeout: 0, bodyTimeout: 0 };
  if ('socketPath' in connection) return new Pool('http://localhost', { ...idle, socketPath: connection.socketPath });
  return new Pool(`http://${urlHost(connection.hostname)}:${connection.port}`, idle);
}
