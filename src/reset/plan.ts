import type { Bounded, Network, Service } from '../compose/model.ts';
import type { ContainerCreate, EndpointConfig, FileInContainer, NetworkCreate, VolumeCreate } from '../engine/port.ts';
import { composeLabels, labels, type Subject } from '../kind/subject.ts';
import type { Existing } from './existing.ts';
import { keptNetworks } from './keep.ts';
import { anonymousTargets, anonymousVolumeName, containerBody, endpoint, networkName } from './spec.ts';

export type PhaseName = 'burn' | 'create' | 'start';

/** One engine call (or one wait), what it is there for, and which steps must be done first. */
export type PlanStep = { id: string; phase: PhaseName; cause: string; after: string[] } & Action;

export type Action =
  | { op: 'container.kill'; container: string }
  | { op: 'container.remove'; container: string }
  | { op: 'network.keep'; network: string /** Containers that may be on it all the same. */; guests: readonly string[] }
  | { op: 'network.disconnect'; network: string; container: string }
  | { op: 'network.remove'; network: string }
  | { op: 'volume.remove'; volume: string /** It has a block device, which goes with it. */; bounded: boolean }
  | { op: 'network.create'; body: NetworkCreate }
  | { op: 'volume.create'; body: VolumeCreate /** Its block device is made first; null: a plain volume. */; bounded: Bounded | null }
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
  /** This service's own container, which may stay on a network that is kept. */
  self: string | null;
  /** False: every network is made anew, even one that is as it should be. */
  keepNetworks: boolean;
  /** False: volumes of limited size cannot be had here, and are plain ones. */
  bounded: boolean;
}

/**
 * Steps that take away everything the subject has on the engine, but the networks of `kept` (by id; with the containers that may be on them). All
 * containers are killed at once; then each goes with its own volumes, whatever the others do.
 */
export function planBurn(existing: Existing, kept: ReadonlyMap<string, readonly string[]> = new Map()): PlanStep[] {
  const kills = existing.containers.map(
    (c): PlanStep => ({
      id: `container.kill ${c.name}`,
      phase: 'burn',
      cause: 'nothing of the generation before may run when the next one starts',
      after: [],
      op: 'container.kill',
      container: c.id,
    }),
  );
  const dead = kills.map((s) => s.id);
  const containers = existing.containers.map(
    (c): PlanStep => ({
      id: `container.remove ${c.name}`,
      phase: 'burn',
      cause: 'it belongs to the generation before',
      after: [`container.kill ${c.name}`],
      op: 'container.remove',
      container: c.id,
    }),
  );
  const gone = containers.map((s) => s.id);
  const networks = existing.networks.flatMap((n): PlanStep[] => {
    const allowed = kept.get(n.id);
    if (allowed !== undefined) {
      return [
        {
          id: `network.keep ${n.name} ${n.id.slice(0, 12)}`,
          phase: 'burn',
          cause: 'it is as the compose file wants it, and nobody else is on it',
          after: dead,
          op: 'network.keep',
          network: n.id,
          guests: allowed,
        },
      ];
    }
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
      after: existing.containers.filter((c) => c.volumes.includes(v.name)).map((c) => `container.remove ${c.name}`),
      op: 'volume.remove',
      volume: v.name,
      bounded: v.bounded,
    }),
  );
  return [...kills, ...containers, ...networks, ...volumes];
}

/**
 * The whole of a reset: burn, create, start in dependency order, wait for each node's own check. A node is created as soon as its own predecessor is gone, and
 * started when all of the generation before are dead; what waits for another's health is created while it waits. Pure; the answer prints with `printPlan`.
 */
export function planReset(subject: Subject, input: PlanInput): PlanStep[] {
  const { project } = subject;
  const own = { [composeLabels.project]: project.name, [labels.owner]: input.owner, [labels.subject]: subject.name };
  const wanted = project.networks.map((n) => ({ key: n.key, body: networkBody(input, n, own) }));
  const kept = input.keepNetworks
    ? keptNetworks(
        input.existing,
        wanted.map((w) => w.body),
        input.self,
      )
    : new Map<string, string[]>();
  const keptByName = new Map(input.existing.networks.flatMap((n) => (kept.has(n.id) ? [[n.name, kept.get(n.id) ?? []]] : [])));
  const burn = planBurn(input.existing, kept);
  const burnt = (prefix: string) => burn.filter((s) => s.id.startsWith(prefix)).map((s) => s.id);

  const networks = wanted
    .filter(({ body }) => !keptByName.has(body.Name))
    .map(
      ({ key, body }): PlanStep => ({
        id: `network.create ${body.Name}`,
        phase: 'create',
        cause: `network ${key} of the compose file`,
        after: burnt('network.remove'),
        op: 'network.create',
        body,
      }),
    );
  const there = (name: string) => (keptByName.has(name) ? [] : [`network.create ${name}`]);
  const volumeStep = (name: string, key: string, cause: string, body: Partial<VolumeCreate>, bounded: Bounded | null): PlanStep => ({
    id: `volume.create ${name}`,
    phase: 'create',
    cause,
    after: burnt(`volume.remove ${name}`),
    op: 'volume.create',
    body: {
      ...body,
      Name: name,
      Labels: { ...body.Labels, ...own, [composeLabels.volume]: key, ...(bounded === null ? {} : { [labels.bounded]: '1' }) },
    },
    bounded,
  });
  const volumes = [
    ...project.volumes.map((v) =>
      volumeStep(
        v.name,
        v.key,
        `volume ${v.key} of the compose file`,
        { Labels: v.labels, DriverOpts: v.driverOpts, ...(v.driver === null ? {} : { Driver: v.driver }) },
        input.bounded ? v.bounded : null,
      ),
    ),
    ...project.services.flatMap((s) =>
      anonymousTargets(s, imageOf(input, s).volumes).map((target) => {
        const name = anonymousVolumeName(project, s.name, target);
        return volumeStep(name, name.slice(project.name.length + 1), `anonymous volume of ${s.name} at ${target}`, {}, null);
      }),
    ),
  ];
  const guests = wanted.flatMap(({ key, body: { Name: name } }) =>
    (input.guests.get(key) ?? [])
      .filter((container) => !keptByName.get(name)?.includes(container))
      .map(
        (container): PlanStep => ({
          id: `network.connect ${name} ${container.slice(0, 12)}`,
          phase: 'create',
          cause: 'it was on this network, or must reach the nodes',
          after: keptByName.has(name) ? burnt(`network.keep ${name} `) : there(name),
          op: 'network.connect',
          network: name,
          container,
          endpoint: {},
          guest: true,
        }),
      ),
  );
  const services = project.services.flatMap((s) => serviceSteps(subject, s, input, { burnt, there }));
  return [...burn, ...networks, ...volumes, ...guests, ...services];
}

/** What the engine is asked to make of a network of the compose file. */
function networkBody(input: PlanInput, n: Network, own: Record<string, string>): NetworkCreate {
  const subnet = input.subnets.get(n.key);
  const config =
    n.subnets.length > 0
      ? n.subnets.map((s) => ({ Subnet: s.subnet, ...(s.gateway === null ? {} : { Gateway: s.gateway }) }))
      : subnet === undefined
        ? []
        : [{ Subnet: subnet }];
  return {
    Name: n.name,
    Driver: n.driver ?? 'bridge',
    Internal: n.internal,
    EnableIPv6: n.enableIpv6,
    Options: n.driverOpts,
    Labels: { ...n.labels, ...own, [composeLabels.network]: n.key },
    ...(config.length === 0 ? {} : { IPAM: { Config: config } }),
  };
}

/** `burnt` are the steps of the burn by the beginning of their ids; `there` the steps after which a network is there. */
function serviceSteps(
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
