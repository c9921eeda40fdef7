import type { Project, Service } from '../compose/model.ts';
import type { FileInContainer } from '../engine/port.ts';
import type { Subject } from '../kind/subject.ts';
import { imageOf, type PlanInput } from './input.ts';
import { anonymousTargets, anonymousVolumeName, containerBody, endpoint, networkName } from './spec.ts';
import type { AwaitCondition, PlanStep } from './step.ts';

/** Has one service made, filled, started and awaited. `burnt` are the steps of the burn by the beginning of their ids; `there` the steps after which a network is there. */
export function serviceSteps(
  subject: Subject,
  service: Service,
  input: PlanInput,
  { burnt, there }: { burnt: (prefix: string) => string[]; there: (network: string) => string[] },
): PlanStep[] {
  const { project } = subject;
  const addresses = new Map(
    [...input.addresses].flatMap(([key, byService]) => (byService.has(service.name) ? [[key, byService.get(service.name) ?? '']] : [])),
  );
  const image = imageOf(input, service);
  const shared = service.networkMode?.mode === 'service' ? service.networkMode.service : null;
  const needs = service.dependsOn.filter((d) => d.required || project.services.some((s) => s.name === d.service));
  const create: PlanStep = {
    id: `container.create ${service.name}`,
    phase: 'create',
    cause: `service ${service.name}`,
    after: [
      ...burnt('container.remove').filter((id) => id === `container.remove ${service.containerName}`),
      ...service.networks.slice(0, 1).flatMap((a) => there(networkName(project, a.network))),
      ...service.mounts.flatMap((m) =>
        m.type === 'volume' && m.volume !== null ? [`volume.create ${project.volumes.find((v) => v.key === m.volume)?.name ?? ''}`] : [],
      ),
      ...anonymousTargets(service, image.volumes).map((t) => `volume.create ${anonymousVolumeName(project, service.name, t)}`),
      ...(shared === null ? [] : [`container.create ${shared}`]),
      // The engine's time goes first to what others wait for.
      ...needs.filter((d) => d.condition !== 'service_started').map((d) => `container.start ${d.service}`),
    ],
    op: 'container.create',
    service: service.name,
    name: service.containerName,
    body: containerBody(service, {
      project,
      owner: input.owner,
      subject: subject.name,
      kind: subject.kind.name,
      generation: input.generation,
      type: subject.kind.adapter.nodeTypes[service.name] ?? null,
      image: image.use,
      imageVolumes: image.volumes,
      addresses,
      bounded: input.bounded,
      apiVersion: input.apiVersion,
    }),
  };
  const connects = service.networks.slice(1).map(
    (a): PlanStep => ({
      id: `network.connect ${networkName(project, a.network)} ${service.name}`,
      phase: 'create',
      cause: `service ${service.name} is on more than one network`,
      after: [create.id, ...there(networkName(project, a.network))],
      op: 'network.connect',
      network: networkName(project, a.network),
      container: service.containerName,
      endpoint: endpoint(a, addresses.get(a.network)),
      guest: false,
    }),
  );
  const files = [...service.configs, ...service.secrets].map(
    (f): FileInContainer => ({ path: f.target, content: f.content, mode: f.mode, uid: f.uid, gid: f.gid }),
  );
  const puts: PlanStep[] =
    files.length === 0
      ? []
      : [
          {
            id: `container.put ${service.name}`,
            phase: 'create',
            cause: `configs and secrets of ${service.name}`,
            after: [create.id],
            op: 'container.put',
            service: service.name,
            container: service.containerName,
            files,
          },
        ];
  const start: PlanStep = {
    id: `container.start ${service.name}`,
    phase: 'start',
    cause: `service ${service.name}`,
    after: [
      create.id,
      ...connects.map((s) => s.id),
      ...puts.map((s) => s.id),
      ...burnt('container.kill'),
      ...burnt('network.keep'),
      ...(shared === null ? [] : [`container.start ${shared}`]),
      ...elder(project, service).map((name) => `container.start ${name}`),
      ...needs.map((d) => (d.condition === 'service_started' ? `container.start ${d.service}` : `node.await ${d.service}`)),
    ],
    op: 'container.start',
    service: service.name,
    container: service.containerName,
  };
  const ready: PlanStep = {
    id: `node.await ${service.name}`,
    phase: 'start',
    cause: `${service.name} must be ready before the subject is`,
    after: [start.id],
    op: 'node.await',
    service: service.name,
    container: service.containerName,
    condition: awaitCondition(subject, service),
  };
  return [create, ...connects, ...puts, start, ready];
}

/**
 * The first of the services that have one image and wait for nothing: they are a cluster that forms, and it gets a start ahead of the others. Members that
 * begin in the same instant ask each other who is there before any of them answers, and wait for it in vain (etcd, and PD with it, one second for each peer);
 * one that finds nobody is ready at once, and answers the rest.
 */
function elder(project: Project, service: Service): string[] {
  const alike = project.services.filter((s) => s.image === service.image && s.dependsOn.length === 0 && s.networkMode === null);
  const first = alike[0];
  return first !== undefined && first !== service && alike.includes(service) ? [first.name] : [];
}

/** A one-shot that somebody waits for must end with 0; one that nobody waits for may; a node must stay. */
function awaitCondition(subject: Subject, service: Service): AwaitCondition {
  const awaited = subject.project.services.flatMap((s) => s.dependsOn).filter((d) => d.service === service.name);
  if (awaited.some((d) => d.condition === 'service_completed_successfully')) return 'completed';
  return service.name in subject.kind.adapter.nodeTypes ? 'ready' : 'settled';
}
