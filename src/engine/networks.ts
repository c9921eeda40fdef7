import type { ApiNetwork } from './api.ts';
import type { Client } from './client.ts';
import { toNetworkDetail, toNetworkSummary } from './map.ts';
import { orNull, unlessGone } from './missing.ts';
import { isAbout, networkPath } from './paths.ts';
import { type Engine, EngineError } from './port.ts';

type NetworkMethods = Pick<
  Engine,
  'listNetworks' | 'inspectNetwork' | 'createNetwork' | 'removeNetwork' | 'connectNetwork' | 'disconnectNetwork'
>;

export function networkMethods(client: Client): NetworkMethods {
  return {
    async listNetworks(signal) {
      const listed = await client.json<ApiNetwork[]>({ op: 'listNetworks', target: '', method: 'GET', path: '/networks', signal });
      return listed.map(toNetworkSummary);
    },

    async inspectNetwork(ref, signal) {
      const at = { op: 'inspectNetwork', target: ref };
      const found = await orNull(async () =>
        toNetworkDetail(await client.json<ApiNetwork>({ ...at, method: 'GET', path: networkPath(at), signal })),
      );
      return found && isAbout(ref, found) ? found : null;
    },

    async createNetwork(body, signal) {
      // Below API 1.44 the engine makes a second network of the same name unless told to look; later ones always look.
      const json = { ...body, CheckDuplicate: true };
      const at = { op: 'createNetwork', target: body.Name };
      const created = await client.json<{ Id: string }>({ ...at, method: 'POST', path: '/networks/create', json, signal });
      return created.Id;
    },

    async removeNetwork(id, signal) {
      const at = { op: 'removeNetwork', target: id };
      await unlessGone(() => client.done({ ...at, method: 'DELETE', path: networkPath(at), signal }));
    },

    async connectNetwork(id, container, endpoint, signal) {
      const at = { op: 'connectNetwork', target: id };
      const json = { Container: container, EndpointConfig: endpoint };
      await client.done({ ...at, method: 'POST', path: `${networkPath(at)}/connect`, json, signal });
    },

    async disconnectNetwork(id, container, force, signal) {
      const at = { op: 'disconnectNetwork', target: id };
      const json = { Container: container, Force: force };
      try {
        await unlessGone(() => client.done({ ...at, method: 'POST', path: `${networkPath(at)}/disconnect`, json, signal }));
      } catch (error) {
        // Engine 20.10 says this with a 500.
        if (!(error instanceof EngineError && /is not connected to/i.test(error.message))) throw error;
      }
    },
  };
}
