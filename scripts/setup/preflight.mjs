import { createServer } from 'node:net';
import { SetupError } from './setup-error.mjs';

/** The address that the service will bind: `{host, port}`; a SetupError when SUBJECTD_PORT is no port. */
export function bindAddress(env) {
  const text = env.SUBJECTD_PORT || '8080';
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new SetupError(`SUBJECTD_PORT is "${text}", which is no port: give a number from 0 to 65535.`);
  }
  return { host: env.SUBJECTD_HOST || '127.0.0.1', port };
}

/** Resolves when the service's port can be bound now; a SetupError that says why not otherwise. */
export async function preflight(env = process.env) {
  const { host, port } = bindAddress(env);
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
