import type { Engine } from '../src/engine/port.ts';
import { composeLabels } from '../src/kind/subject.ts';
import { until } from '../src/lib/until.ts';
import { peerName, prefix } from './names.ts';

/**
 * Removes everything of every bench from the engine: the Compose container first, since it may still be making things, then the projects'
 * containers, networks and volumes. Looks again until nothing is left, or rejects with the signal's reason. Answers the names of what it removed.
 */
export async function sweep(engine: Engine, signal: AbortSignal): Promise<string[]> {
  const removed: string[] = [];
  await until(
    async () => {
      const found = await look(engine, signal);
      if (found.peer !== null) await engine.removeContainer(found.peer, signal);
      await Promise.all(found.containers.map(({ id }) => engine.removeContainer(id, signal)));
      await Promise.all([
        ...found.networks.map(({ id }) => engine.removeNetwork(id, signal)),
        ...found.volumes.map(({ name }) => engine.removeVolume(name, signal)),
      ]);
      const names = [...found.containers, ...found.networks, ...found.volumes].map(({ name }) => name);
      removed.push(...(found.peer === null ? [] : [peerName]), ...names);
      return found.peer === null && names.length === 0 ? true : undefined;
    },
    100,
    signal,
  );
  return removed;
}

async function look(engine: Engine, signal: AbortSignal) {
  const ours = ({ labels }: { labels: Record<string, string> }) => labels[composeLabels.project]?.startsWith(prefix) === true;
  const [peer, containers, networks, volumes] = await Promise.all([
    engine.inspectContainer(peerName, signal),
    engine.listContainers([composeLabels.project], signal),
    engine.listNetworks(signal),
    engine.listVolumes([composeLabels.project], signal),
  ]);
  return {
    peer: peer?.id ?? null,
    containers: containers.filter(ours),
    networks: networks.filter(ours),
    volumes: volumes.filter(ours),
  };
}
