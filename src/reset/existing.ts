import type { ContainerDetail, ContainerSummary, Engine, NetworkDetail, VolumeSummary } from '../engine/port.ts';
import { composeLabels, labels, type Subject } from '../kind/subject.ts';
import { Problem } from '../lib/problem.ts';
import type { BoundedVolumes } from './bounded.ts';

/** A network as it is: what a compose file can ask for. */
export type NetworkShape = Pick<NetworkDetail, 'driver' | 'internal' | 'enableIpv6' | 'options' | 'labels' | 'subnets' | 'gateways'>;

/** Whose objects may be burnt: this service's own, and those of services that are known to be gone for good. */
export interface Owners {
  self: string;
  dead(signal: AbortSignal): Promise<string[]>;
}

/** Where it is looked. */
export interface Where {
  engine: Engine;
  owners: Owners;
  bounded: BoundedVolumes;
}

/** What a subject has on the engine: containers with what they hold, networks with the strangers on them, volumes. */
export interface Existing {
  containers: { id: string; name: string; volumes: readonly string[]; hostPorts: readonly number[] }[];
  networks: { id: string; name: string; shape: NetworkShape; guests: { id: string; name: string }[] }[];
  volumes: { name: string; bounded: boolean }[];
}

/**
 * Looks at everything under the subject's project name. Objects of the project that another made are a `project_conflict`, and names that the
 * subject needs and another holds a `name_conflict`: neither is ever touched.
 */
export async function findExisting({ engine, owners, bounded }: Where, subject: Subject, signal: AbortSignal): Promise<Existing> {
  const project = subject.project.name;
  const boundedNames = subject.project.volumes.filter((v) => v.bounded !== null).map((v) => v.name);
  const inProject = `${composeLabels.project}=${project}`;
  const [containers, networks, volumes, named, devices] = await Promise.all([
    engine.listContainers([inProject], signal),
    engine.listNetworks(signal),
    engine.listVolumes([], signal),
    Promise.all(subject.project.services.map((s) => engine.inspectContainer(s.containerName, signal))),
    boundedNames.length === 0 ? Promise.resolve<string[]>([]) : bounded.of(owners.self, signal),
  ]);
  const everything = [containers, networks, volumes].flat().filter((o) => o.labels[composeLabels.project] === project);
  const ofOthers = everything.some((o) => o.labels[labels.owner] !== owners.self);
  const dead = ofOthers ? await owners.dead(signal) : [];
  const mine = (owner: string | undefined) => owner !== undefined && (owner === owners.self || dead.includes(owner));
  const ours = <T extends { labels: Record<string, string> }>(objects: T[]): T[] =>
    objects.filter((o) => mine(o.labels[labels.owner]) && o.labels[composeLabels.project] === project);
  refuseStrangers(
    project,
    containers.filter((c) => !mine(c.labels[labels.owner])),
  );
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
  const [details, found] = await Promise.all([
    Promise.all(ours(networks).map((n) => engine.inspectNetwork(n.id, signal))),
    Promise.all(ours(containers).map((c) => engine.inspectContainer(c.id, signal))),
  ]);
  const members = new Set(containers.map((c) => c.id));
  return {
    containers: found
      .filter((c): c is ContainerDetail => c !== null)
      .map(({ id, name, mounts, ports }) => ({
        id,
        name,
        volumes: mounts.flatMap((m) => (m.type === 'volume' && m.name !== null ? [m.name] : [])),
        hostPorts: ports.map((p) => p.hostPort),
      })),
    networks: details
      .filter((n): n is NetworkDetail => n !== null)
      .map((n) => ({
        id: n.id,
        name: n.name,
        shape: n,
        guests: n.containers.filter((c) => !members.has(c.id)).map(({ id, name }) => ({ id, name })),
      })),
    volumes: [
      ...ours<VolumeSummary>(volumes).map((v) => ({ name: v.name, bounded: labels.bounded in v.labels })),
      // A crash came between the block device and the volume on it.
      ...boundedNames
        .filter((name) => devices.includes(name) && !volumes.some((v) => v.name === name))
        .map((name) => ({ name, bounded: true })),
    ],
  };
}

function refuseStrangers(project: string, strange: ContainerSummary[]): void {
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
