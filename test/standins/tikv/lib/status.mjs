import { createServer as createHttp } from 'node:http';
import { createServer as createTcp } from 'node:net';

const at = (address) => {
  const [, host, port] = /^(.*):(\d+)$/.exec(address);
  return { host, port: Number(port) };
};

/** The status port: `/status`, `/config`, `/metrics`; 404 for the rest. Answers as soon as the process runs, long before PD calls the store Up. */
export function serveStatus(address, config, metrics) {
  const pages = {
    '/status': () => ['text/plain', ''],
    '/config': () => ['application/json', JSON.stringify(config)],
    '/metrics': () => ['text/plain; version=0.0.4', metrics()],
  };
  const server = createHttp((request, response) => {
    const page = pages[new URL(request.url, 'http://tikv').pathname];
    const [type, text] = page?.() ?? ['text/plain', '404 not found'];
    response.writeHead(page ? 200 : 404, { 'content-type': type });
    response.end(text);
  });
  server.listen(at(address));
}

/** The data port: takes connections and holds them; there is no gRPC behind it. */
export function serveData(address) {
  const server = createTcp((socket) => socket.on('error', () => socket.destroy()).resume());
  server.listen(at(address));
}
