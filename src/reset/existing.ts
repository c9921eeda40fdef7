import type { ContainerSummary, Engine, NetworkDetail, VolumeSummary } from '../engine/port.ts';
import { composeLabels, labels, type Subject } from '../kind/subject.ts';
import { Problem } from '../lib/problem.ts';

/** What a subject has on the engine: containers, networks with the strangers on them, volumes. */
export interface Existing {
  containers: { id: string; name: string }[];
  networks: { id: string; name: string; guests: { id: string; name: string }[] }[];
  volumes: { name: string }[];
}

/**
 * Looks at everything under the subject's project name. Objects of the project that another made are a `project_conflict`, and names that the
 * subject needs and another holds a `name_conflict`: neither is ever touched.
 */
export async function findExisting(engine: Engine, owner: string, subject: Subject, signal: AbortSignal): Promise<Existing> {
  const project = subject.project.name;
  const inProject = `${composeLabels.project}=${project}`;
  const [containers, networks, volumes, named] = await Promise.all([
    engine.listContainers([inProject], signal),
    engine.listNetworks(signal),
    engine.listVolumes([], signal),
    Promise.all(subject.project.services.map((s) => engine.inspectContainer(s.containerName, signal))),
  ]);
  const ours = <T extends { labels: Record<string, string> }>(objects: T[]): T[] =>
    objects.filter((o) => o.labels[labels.owner] === owner && o.labels[composeLabels.project] === project);
  refuseStrangers(project, owner, containers);
  for (const container of named) {
    if (container !== null && ours([container]).length === 0) {
      throw new Problem('name_conflict', `The container name ${container.name} is held by a container that this service did not make.`, {
        container: container.name,
        container_id: container.id,
      });
    }
  }
  const neededNetworks = new Set(subject.project.networks.map((n) => n.name));
  const neededVolumes = new Set(subject.project.volumes.map((v) => v.name));
  for (const [what, objects, needed] of [
    ['network', networks, neededNetworks],
    ['volume', volumes, neededVolumes],
  ] as const) {
    const strange = objects.find((o) => needed.has(o.name) && ours<{ labels: Record<string, string> }>([o]).length === 0);
    if (strange !== undefined) {
      throw new Problem('name_conflict', `The ${what} name ${strange.name} is held by a ${what} that this service did not make.`, {
        [what]: strange.name,
      });
    }
  }
  const details = await Promise.all(ours(networks).map((n) => engine.inspectNetwork(n.id, signal)));
  const members = new Set(containers.map((c) => c.id));
  return {
    containers: ours(containers).map(({ id, name }) => ({ id, name })),
    networks: details
      .filter((n): n is NetworkDetail => n !== null)
      .map((n) => ({
        id: n.id,
        name: n.name,
        guests: n.containers.filter((c) => !members.has(c.id)).map(({ id, name }) => ({ id, name })),
      })),
    volumes: ours<VolumeSummary>(volumes).map(({ name }) => ({ name })),
  };
}

function refuseStrangers(project: string, owner: string, containers: ContainerSummary[]): void {
  const strange = containers.filter((c) => c.labels[labels.owner] !== owner);
  if (strange.length === 0) return;
  const names = strange.map((c) => c.name);
  const whose = strange[0]?.labels[labels.owner];
  throw new Problem(
    'project_conflict',
    whose === undefined
      ? `The project ${project} has containers that this service did not make: ${names.join(', ')}. Remove them with: docker compose -p ${project} down -v`
      : `The project ${project} belongs to another subjectd (${whose}): ${names.join(', ')}. Delete the subject there; if that service is gone for good: docker compose -p ${project} down -v`,
    { project, containers: names, owner: whose ?? null },
  );
}
