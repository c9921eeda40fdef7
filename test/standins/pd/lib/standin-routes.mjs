import { badNumber, json } from './reply.mjs';

/** How the TiKV stand-in talks to this one, instead of gRPC. Answered by the leader. */
export const standinRoutes = [
  ['POST', /^\/standin\/id$/, async ({ cluster }) => json({ id: await cluster.allocate() })],
  ['POST', /^\/standin\/store$/, register],
  ['POST', /^\/standin\/heartbeat\/([^/]+)$/, heartbeat],
];

async function register({ cluster }, _match, _query, body) {
  const refused = await cluster.register(JSON.parse(body));
  return refused === null ? json({}) : json(refused, 409);
}

async function heartbeat({ cluster }, [, id], _query, body) {
  if (!/^\d+$/.test(id)) return badNumber(id);
  return (await cluster.heartbeat(Number(id), JSON.parse(body))) ? json({}) : json(`store ${id} is not registered`, 404);
}
