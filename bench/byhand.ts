import type { Engine } from '../src/engine/port.ts';
import { composeLabels } from '../src/kind/subject.ts';
import { settingDefaults } from '../src/settings.ts';
import { prefix } from './names.ts';

/** An image that has iproute2 and iptables: what a subject's image must have for faults made by hand. */
const image = settingDefaults.SUBJECTD_TOOLBOX_IMAGE;

/** Two containers in which faults are made by hand, with the rights that this needs. The bench's sweep removes them. */
export async function handMade(engine: Engine, signal: AbortSignal): Promise<{ node: string; peer: string }> {
  const start = async (name: string) => {
    const id = await engine.createContainer(
      name,
      {
        Image: image,
        Entrypoint: ['sleep', 'infinity'],
        Labels: { [composeLabels.project]: `${prefix}byhand` },
        HostConfig: { NetworkMode: 'bridge', Init: true, CapAdd: ['NET_ADMIN'] },
      },
      signal,
    );
    await engine.startContainer(id, signal);
    return id;
  };
  const node = `${prefix}byhand-node`;
  await start(node);
  const peer = await start(`${prefix}byhand-peer`);
  const address = (await engine.inspectContainer(peer, signal))?.networks[0]?.ipv4 ?? null;
  if (address === null) throw new Error('the peer has no address');
  return { node, peer: address };
}
