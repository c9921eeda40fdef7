import { SetupError } from './setup-error.mjs';

export const DEFAULT_SOCKET = '/var/run/docker.sock';

/**
 * Where the engine is, from DOCKER_HOST or the default socket: `{shown, given, options}`, where `options` are those of a node:http
 * request, `given` tells that DOCKER_HOST named it and `shown` is for people and has no password in it.
 */
export function engineAddress(env) {
  const text = env.DOCKER_HOST?.trim();
  if (!text) return { shown: `unix://${DEFAULT_SOCKET}`, given: false, options: { socketPath: DEFAULT_SOCKET } };
  if (text.startsWith('unix://')) {
    const socketPath = text.slice('unix://'.length);
    if (socketPath.startsWith('/')) return { shown: text, given: true, options: { socketPath } };
  }
  const url = text.replace(/^tcp:/, 'http:');
  if (/^http:\/\//.test(url) && URL.canParse(url)) {
    if (env.DOCKER_TLS_VERIFY) {
      throw new SetupError(
        'DOCKER_TLS_VERIFY is set, and an engine behind TLS is not supported: forward its socket (ssh -L) and name that in DOCKER_HOST.',
      );
    }
    const { hostname, port: given } = new URL(url);
    // An http URL drops port 80, as it is its own default; without any port it is Docker's.
    const port = Number(given || (/:80\/?$/.test(url) ? 80 : 2375));
    return { shown: `tcp://${hostname}:${port}`, given: true, options: { host: hostname.replace(/^\[(.*)\]$/, '$1'), port } };
  }
  const scheme = /^[a-z]+:\/\//.exec(text)?.[0] ?? 'no scheme';
  throw new SetupError(`DOCKER_HOST has a form that is not supported (${scheme}): use unix:///path/to/docker.sock or tcp://host:port.`);
}
