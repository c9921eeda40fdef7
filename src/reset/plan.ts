import type { Service } from '../compose/model.ts';
import type { ContainerCreate, EndpointConfig, FileInContainer, NetworkCreate, VolumeCreate } from '../engine/port.ts';
import { composeLabels, labels, type Subject } from '../kind/subject.ts';
import type { Existing } from './existing.ts';
import { anonymousTargets, anonymousVolumeName, containerBody, endpoint, networkName } from './spec.ts';

export type PhaseName = 'burn' | 'create' | 'start';

/** One engine call (or one wait), what it is there for, and which steps must be done first. */
export type PlanStep = { id: string; phase: PhaseName; cause: string; after: string[] } & Action;

export type Action =
  | { op: 'container.remove'; container: string }
  | { op: 'network.disconnect'; network: string; container: string }
  | { op: 'network.remove'; network: string }
  | { op: 'volume.remove'; volume: string }
  | { op: 'network.create'; body: NetworkCreate }
  | { op: 'volume.create'; body: VolumeCreate }
  | { op: 'container.create'; service: string; name: string; body: ContainerCreate }
  | {
      op: 'network.connect';
      network: string;
      container: string;
      endpoint: EndpointConfig /** Somebody else's container, which may be gone by then. */;
      guest: boolean;
    }
  | { op: 'container.put'; service: string; container: string; files: FileInContainer[] }
  | { op: 'container.start'; service: string; container: string }
  | { op: 'node.await'; service: string; container: string; condition: AwaitCondition };

/** `ready`: its own check passes, or it runs and has none. `completed`: it ended with 0. `settled`: either of the two. */
export type AwaitCondition = 'ready' | 'completed' | 'settled';

/** Everything a plan depends on, besides the subject. */
export interface PlanInput {
  owner: string;
  generation: number;
  existing: Existing;
  /** By image reference: what to create from (a reference, or an id when the reference moved meanwhile), and the image's VOLUME paths. */
  images: ReadonlyMap<string, { use: string; volumes: readonly string[] }>;
  /** By network key; missing: the engine chooses. */
  subnets: ReadonlyMap<string, string>;
  /** By network key, then by service. */
  addresses: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Containers to attach to each network of the subject: this service's own, and strangers that were on it. By network key. */
  guests: ReadonlyMap<string, readonly string[]>;
}

/** Steps that take away everything the subject has on the engine. */
export function planBurn(existing: Existing): PlanStep[] {
  const containers = existing.containers.map(
    (c): PlanStep => ({
      id: `container.remove ${c.name}`,
      phase: 'burn',
      cause: 'it belongs to the generation before',
      after: [],
      op: 'container.remove',
      container: c.id,
    }),
  );
  const gone = containers.map((s) => s.id);
  const networks = existing.networks.flatMap((n): PlanStep[] => {
    const guests = n.guests.map(
      (g): PlanStep => ({
        id: `network.disconnect ${n.name} ${g.name}`,
        phase: 'burn',
        cause: 'a network cannot be removed while somebody is on it',
        after: [],
        op: 'network.disconnect',
        network: n.id,
        container: g.id,
      }),
    );
    return [
      ...guests,
      {
        id: `network.remove ${n.name} ${n.id.slice(0, 12)}`,
        phase: 'burn',
        cause: 'it belongs to the generation before',
        after: [...gone, ...guests.map((s) => s.id)],
        op: 'network.remove',
        network: n.id,
      },
    ];
  });
  const volumes = existing.volumes.map(
    (v): PlanStep => ({
      id: `volume.remove ${v.name}`,
      phase: 'burn',
      cause: 'it holds data of the generation before',
      after: gone,
      op: 'volume.remove',
      volume: v.name,
    }),
  );
  return [...containers, ...networks, ...volumes];
}

/** The whole of a reset: burn, create, start in dependency order, wait for each node's own check. Pure; the answer prints with `printPlan`. */
export function planReset(subject: Subject, input: PlanInput): PlanStep[] {
  const burn = planBurn(input.existing);
  const burnt = (prefix: string) => burn.filter((s) => s.id.startsWith(prefix)).map((s) => s.id);
  const { project } = subject;
  const own = { [composeLabels.project]: project.name, [labels.owner]: input.owner, [labels.subject]: subject.name };

  const networks = project.networks.map((n): PlanStep => {
    const subnet = input.subnets.get(n.key);
    const config =
      n.subnets.length > 0
        ? n.subnets.map((s) => ({ Subnet: s.subnet, ...(s.gateway === null ? {} : { Gateway: s.gateway }) }))
        : subnet === undefined
          ? []
          : [{ Subnet: subnet }];
    return {
      id: `network.create ${n.name}`,
      phase: 'create',
      cause: `network ${n.key} of the compose file`,
      after: burnt('network.remove'),
      op: 'network.create',
      body: {
        Name: n.name,
        Driver: n.driver ?? 'bridge',
        Internal: n.internal,
        EnableIPv6: n.enableIpv6,
        Options: n.driverOpts,
        Labels: { ...n.labels, ...own, [composeLabels.network]: n.key },
        ...(config.length === 0 ? {} : { IPAM: { Config: config } }),
      },
    };
  });
  const volumeStep = (name: string, key: string, cause: string, body: Partial<VolumeCreate>): PlanStep => ({
    id: `volume.create ${name}`,
    phase: 'create',
    cause,
    after: burnt(`volume.remove ${name}`),
    op: 'volume.create',
    body: { ...body, Name: name, Labels: { ...body.Labels, ...own, [composeLabels.volume]: key } },
  });
  const volumes = [
    ...project.volumes.map((v) =>
      volumeStep(v.name, v.key, `volume ${v.key} of the compose file`, {
        Labels: v.labels,
        DriverOpts: v.driverOpts,
        ...(v.driver === null ? {} : { Driver: v.driver }),
      }),
    ),
    ...project.services.flatMap((s) =>
      anonymousTargets(s, imageOf(input, s).volumes).map((target) => {
        const name = anonymousVolumeName(project, s.name, target);
        return volumeStep(name, name.slice(project.name.length + 1), `anonymous volume of ${s.name} at ${target}`, {});
      }),
    ),
  ];
  const guests = project.networks.flatMap((n) =>
    (input.guests.get(n.key) ?? []).map(
      (container): PlanStep => ({
        id: `network.connect ${n.name} ${container.slice(0, 12)}`,
        phase: 'create',
        cause: 'it was on this network, or must reach the nodes',
        after: [`network.create ${n.name}`],
        op: 'network.connect',
        network: n.name,
        container,
        endpoint: {},
        guest: true,
      }),
    ),
  );
  const services = project.services.flatMap((s) => serviceSteps(subject, s, input, burnt));
  return [...burn, ...networks, ...volumes, ...guests, ...services];
}

function serviceSteps(subject: Subject, service: Service, input: PlanInput, burnt: (prefix: string) => string[]): PlanStep[] {
  const { project } = subject;
  const addresses = new Map(
    [...input.addresses].flatMap(([key, byService]) => (byService.has(service.name) ? [[key, byService.get(service.name) ?? '']] : [])),
  );
  const image = imageOf(input, service);
  const shared = service.networkMode?.mode === 'service' ? service.networkMode.service : null;
  const create: PlanStep = {
    id: `container.create ${service.name}`,
    phase: 'create',
    cause: `service ${service.name}`,
    after: [
      ...burnt('container.remove'),
      ...service.networks.slice(0, 1).map((a) => `network.create ${networkName(project, a.network)}`),
      ...service.mounts.flatMap((m) =>
        m.type === 'volume' && m.volume !== null ? [`volume.create ${project.volumes.find((v) => v.key === m.volume)?.name ?? ''}`] : [],
      ),
      ...anonymousTargets(service, image.volumes).map((t) => `volume.create ${anonymousVolumeName(project, service.name, t)}`),
      ...(shared === null ? [] : [`container.create ${shared}`]),
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
    }),
  };
  const connects = service.networks.slice(1).map(
    (a): PlanStep => ({
      id: `network.connect ${networkName(project, a.network)} ${service.name}`,
      phase: 'create',
      cause: `service ${service.name} is on more than one network`,
      after: [create.id, `network.create ${networkName(project, a.network)}`],
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
      ...(shared === null ? [] : [`container.start ${shared}`]),
      ...service.dependsOn
        .filter((d) => d.required || project.services.some((s) => s.name === d.service))
        .map((d) => (d.condition === 'service_started' ? `container.start ${d.service}` : `node.await ${d.service}`)),
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

/** A one-shot that somebody waits for must end with 0; one that nobody waits for may; a node must stay. */
function awaitCondition(subject: Subject, service: Service): AwaitCondition {
  const awaited = subject.project.services.flatMap((s) => s.dependsOn).filter((d) => d.service === service.name);
  if (awaited.some((d) => d.condition === 'service_completed_successfully')) return 'completed';
  return service.name in subject.kind.adapter.nodeTypes ? 'ready' : 'settled';
}

function imageOf(input: PlanInput, service: Service): { use: string; volumes: readonly string[] } {
  return input.images.get(service.image) ?? { use: service.image, volumes: [] };
}

/** One line a step, in an order in which they can be carried out: what a person reads and a test compares. */
export function printPlan(steps: readonly PlanStep[]): string {
  return steps.map((s) => `${s.id}${s.after.length === 0 ? '' : ` <- ${s.after.join(', ')}`} (${s.cause})`).join('\n');
}
