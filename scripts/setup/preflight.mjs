import { createServer } from 'node:net';
import { SetupError } from './setup-error.mjs';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** The address that the service will bind: `{host, port}`; a SetupError when SUBJECTD_PORT is no port. */
export function bindAddress(env) {
  const text = env.SUBJECTD_PORT || '8080';
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new SetupError(`SUBJECTD_PORT is "${text}", which is no port: give a number from 0 to 65535.`);
  }
  return { host: env.SUBJECTD_HOST || '127.0.0.1', port };
}

/** Refuses, in the words of src/settings.ts (a test compares), what the service would refuse when all is set up. */
function checkToken(host, token) {
  if (!LOOPBACK.has(host) && !token) {
    throw new SetupError(
      `SUBJECTD_HOST is ${host}, which others can reach: set SUBJECTD_TOKEN too, since who can call this service is root on the engine’s host.`,
    );
  }
  if (token && token.length < 16) throw new SetupError('SUBJECTD_TOKEN must have at least 16 characters.');
}

/** Resolves when the service may be run with these settings and its port can be bound now; a SetupError that says why not otherwise. */
export async function preflight(env = process.env) {
  const { host, port } = bindAddress(env);
  checkToken(host, env.SUBJECTD_TOKEN);
  const error = await tryToListen(host, port);
  if (error) throw new SetupError(sentence(error, host, port));
}

function tryToListen(host, port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function sentence(error, host, port) {
  if (error.code === 'EADDRINUSE') {
    return `port ${port} on ${host} is taken: stop what listens there, or choose another port with SUBJECTD_PORT.`;
  }
  if (error.code === 'EACCES') return `no right to listen on port ${port}: choose one above 1023 with SUBJECTD_PORT.`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return `this machine has no address ${host}: correct SUBJECTD_HOST (127.0.0.1 is the default).`;
  }
  return `cannot listen on ${host}:${port} (${error.code ?? error.message}): correct SUBJECTD_HOST or SUBJECTD_PORT.`;
}
