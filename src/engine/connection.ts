/** How to reach an engine: a unix socket or plain HTTP. `hostname` is without the brackets that an IPv6 address has in a URL. */
export type Connection = { socketPath: string } | { hostname: string; port: number };

/** The host as a URL has it. */
export function urlHost(hostname: string): string {
  return hostname.includes(':') ? `[${hostname}]` : hostname;
}

const defaultSocket = '/var/run/docker.sock';

/**
 * Reads a DOCKER_HOST value (`unix:///path`, `tcp://host:port`, `http://host:port`; nothing: the default socket).
 * Throws an Error that says what is accepted for anything else, TLS and ssh included.
 */
export function parseDockerHost(value: string | undefined): Connection {
  if (value === undefined || value === '') return { socketPath: defaultSocket };
  if (value.startsWith('unix://')) return { socketPath: value.slice('unix://'.length) || defaultSocket };
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url || !/^(tcp|http):$/.test(url.protocol) || url.hostname === '' || !/^\/?$/.test(url.pathname)) throw new Error(unusable(value));
  return { hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: portOf(url) };
}

/** An http URL leaves its default port out; tcp has none, and 2375 is what the engine's own client takes. */
function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'http:' ? 80 : 2375;
}

function unusable(value: string): string {
  return `DOCKER_HOST ${JSON.stringify(value)} cannot be used: it must be unix:///path, tcp://host:port or http://host:port`;
}
