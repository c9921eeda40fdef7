import { until } from '../lib/until.ts';
import type { ApiContainer, ApiContainerListed } from './api.ts';
import { putFiles } from './archive.ts';
import type { Client } from './client.ts';
import type { CallSite } from './errors.ts';
import { exec } from './exec.ts';
import { labelQuery } from './labels.ts';
import { logTail } from './logs.ts';
import { toContainerDetail, toContainerSummary } from './map.ts';
import { orNull, unlessGone } from './missing.ts';
import { containerPath, isAbout } from './paths.ts';
import { PauseGate } from './pause-gate.ts';
import { type Engine, EngineError } from './port.ts';

type ContainerMethods = Pick<
  Engine,
  | 'listContainers'
  | 'inspectContainer'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'restartContainer'
  | 'killContainer'
  | 'pauseContainer'
  | 'unpauseContainer'
  | 'removeContainer'
  | 'putFiles'
  | 'logTail'
  | 'exec'
>;

/** The engine says that it is already started or stopped. */
const notModified = 304;

const removalRetryMs = 50;

export function containerMethods(client: Client): ContainerMethods {
  const gate = new PauseGate();
  const post = (at: CallSite, verb: string, signal: AbortSignal, query: Record<string, string> = {}) =>
    client.done({ ...at, method: 'POST', path: `${containerPath(at)}/${verb}`, query, signal, accept: [notModified] });

  return {
    async listContainers(labels, signal) {
      const query = { all: '1', ...labelQuery(labels) };
      const at = { op: 'listContainers', target: labels.join(',') };
      const listed = await client.json<ApiContainerListed[]>({ ...at, method: 'GET', path: '/containers/json', query, signal });
      return listed.map(toContainerSummary);
    },

    async inspectContainer(ref, signal) {
      const at = { op: 'inspectContainer', target: ref };
      const found = await orNull(async () =>
        toContainerDetail(await client.json<ApiContainer>({ ...at, method: 'GET', path: `${containerPath(at)}/json`, signal })),
      );
      return found && isAbout(ref, found) ? found : null;
    },

    async createContainer(name, body, signal) {
      const at = { op: 'createContainer', target: name };
      const created = await client.json<{ Id: string }>({
        ...at,
        method: 'POST',
        path: '/containers/create',
        query: { name },
        json: body,
        signal,
      });
      return created.Id;
    },

    async startContainer(id, signal) {
      await post({ op: 'startContainer', target: id }, 'start', signal);
    },

    async stopContainer(id, graceSeconds, signal) {
      await post({ op: 'stopContainer', target: id }, 'stop', signal, { t: String(Math.ceil(Math.max(0, graceSeconds))) });
    },

    async restartContainer(id, graceSeconds, signal) {
      await post({ op: 'restartContainer', target: id }, 'restart', signal, { t: String(Math.ceil(Math.max(0, graceSeconds))) });
    },

    async killContainer(id, signalName, signal) {
      await post({ op: 'killContainer', target: id }, 'kill', signal, { signal: signalName });
    },

    async pauseContainer(id, signal) {
      await gate.pause(id, signal, () => post({ op: 'pauseContainer', target: id }, 'pause', signal));
    },

    async unpauseContainer(id, signal) {
      await post({ op: 'unpauseContainer', target: id }, 'unpause', signal);
    },

    async removeContainer(id, signal) {
      const at = { op: 'removeContainer', target: id };
      const remove = async (inner: AbortSignal): Promise<true | undefined> => {
        try {
          const query = { force: '1', v: '1' };
          await unlessGone(() => client.done({ ...at, method: 'DELETE', path: containerPath(at), query, signal: inner }));
          return true;
        } catch (error) {
          // Somebody else's removal: asked again until it is gone, as that one may fail too.
          if (error instanceof EngineError && /removal of container .* in progress/i.test(error.message)) return undefined;
          throw error;
        }
      };
      await until(remove, removalRetryMs, signal);
      gate.drop(id);
    },

    putFiles: (id, files, signal) => putFiles(client, id, files, signal),
    logTail: (id, lines, signal) => logTail(client, id, lines, signal),
    exec: (id, argv, signal, options) => exec(client, gate, id, argv, signal, options),
  };
}
