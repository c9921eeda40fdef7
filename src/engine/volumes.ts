import type { ApiVolume } from './api.ts';
import type { Client } from './client.ts';
import { labelQuery } from './labels.ts';
import { unlessGone } from './missing.ts';
import { volumePath } from './paths.ts';
import type { Engine } from './port.ts';

export function volumeMethods(client: Client): Pick<Engine, 'listVolumes' | 'createVolume' | 'removeVolume'> {
  return {
    async listVolumes(labels, signal) {
      const at = { op: 'listVolumes', target: labels.join(',') };
      const query = labelQuery(labels);
      const listed = await client.json<{ Volumes?: ApiVolume[] | null }>({ ...at, method: 'GET', path: '/volumes', query, signal });
      return (listed.Volumes ?? []).map((volume) => ({ name: volume.Name, labels: volume.Labels ?? {} }));
    },

    async createVolume(body, signal) {
      const at = { op: 'createVolume', target: body.Name };
      await client.done({ ...at, method: 'POST', path: '/volumes/create', json: body, signal });
    },

    async removeVolume(name, signal) {
      const at = { op: 'removeVolume', target: name };
      await unlessGone(() => client.done({ ...at, method: 'DELETE', path: volumePath(at), signal }));
    },
  };
}
