import { createServer } from 'node:http';
import { forward } from './forward.mjs';
import { leaderRoutes } from './leader-routes.mjs';
import { localRoutes } from './local-routes.mjs';
import { empty, json, notFound, plain, send } from './reply.mjs';
import { standinRoutes } from './standin-routes.mjs';

const api = '/pd/api/v1';

/**
 * PD's HTTP server. The port is open from the start; nothing is answered before `started`, which never comes for a member that is alone.
 * `pd` is `{self, election, cluster, closing}`.
 */
export function serve(pd, port, host, started) {
  const server = createServer((incoming, response) => {
    started
      .then(() => answer(pd, incoming, response))
      .catch((error) => {
        console.error(`${incoming.method} ${incoming.url}: ${error.message}`);
        if (!response.headersSent) send(response, json(error.message, 500));
      });
  });
  server.listen(port, host);
  return server;
}

async function answer(pd, incoming, response) {
  const { pathname, searchParams } = new URL(incoming.url, 'http://pd');
  const body = await read(incoming);
  if (pd.closing) return send(response, plain(500, '[PD:server:ErrServerNotStarted]server not started'));
  const local = find(localRoutes, incoming.method, pathname);
  if (local) return send(response, await local.handler(pd, local.match, searchParams, body));
  if (pathname === `${api}/config` && incoming.method === 'GET') return send(response, await config(pd, incoming, response, body));
  const path = pathname.startsWith(`${api}/`) ? pathname.slice(api.length) : pathname;
  const table = pathname.startsWith(`${api}/`) ? leaderRoutes : standinRoutes;
  const route = find(table, incoming.method, path);
  if (route === null) return send(response, table.some(([, pattern]) => pattern.test(path)) ? empty(405) : notFound());
  if (!pd.election.serving && incoming.headers['pd-allow-follower-handle'] === undefined) {
    const told = await forward(pd, incoming, response, body);
    if (told === true) return;
    if (told !== null) return send(response, told);
  }
  send(response, await route.handler(pd, route.match, searchParams, body.toString()));
}

/** "Local", but merged with the leader's part: without a leader it fails. */
async function config(pd) {
  if (pd.election.leader === null) return json('[PD:server:ErrLeaderNil]leader is nil', 500);
  const { 'max-replicas': replicas, ...schedule } = pd.cluster.config;
  return json({ name: pd.self.name, schedule, replication: { 'max-replicas': replicas } });
}

function find(table, method, path) {
  for (const [wanted, pattern, handler] of table) {
    const match = wanted === method ? pattern.exec(path) : null;
    if (match) return { handler, match };
  }
  return null;
}

async function read(incoming) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}
