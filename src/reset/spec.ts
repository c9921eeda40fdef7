import { createHash } from 'node:crypto';
import { definitionHash } from '../compose/hash.ts';
import type { Attachment, Mount, Project, Service } from '../compose/model.ts';
import type { ContainerCreate, EndpointConfig, HostConfig } from '../engine/port.ts';
import { composeLabels, labels } from '../kind/subject.ts';
import { neighbourSysctls } from './neighbours.ts';

/** What a container's body needs beyond its compose service. */
export interface SpecContext {
  project: Project;
  owner: string;
  subject: string;
  kind: string;
  generation: number;
  /** Null: not a node. */
  type: string | null;
  /** Reference or id of the pinned image, and the VOLUME paths it declares. */
  image: string;
  imageVolumes: readonly string[];
  /** By network key. */
  addresses: ReadonlyMap<string, string>;
  /** False: volumes of limited size cannot be had here, and are plain ones. */
  bounded: boolean;
  /** Of the engine. */
  apiVersion: string;
}

const ns = (ms: number) => Math.round(ms * 1e6);

/** The Engine API's body for one service. The first network is in it; the others are connected before the start. */
export function containerBody(service: Service, context: SpecContext): ContainerCreate {
  const first = service.networks[0];
  const body: ContainerCreate = {
    Image: context.image,
    Env: Object.entries(service.environment).map(([name, value]) => `${name}=${value}`),
    Labels: containerLabels(service, context),
    Tty: service.tty,
    OpenStdin: service.stdinOpen,
    ExposedPorts: Object.fromEntries([
      ...service.expose.map((port) => [`${port}/tcp`, {}]),
      ...service.ports.map((p) => [`${p.containerPort}/${p.protocol}`, {}]),
    ]),
    HostConfig: hostConfig(service, context),
  };
  if (service.command !== null) body.Cmd = service.command;
  if (service.entrypoint !== null) body.Entrypoint = service.entrypoint;
  if (service.user !== null) body.User = service.user;
  if (service.workingDir !== null) body.WorkingDir = service.workingDir;
  if (service.hostname !== null) body.Hostname = service.hostname;
  if (service.stopSignal !== null) body.StopSignal = service.stopSignal;
  if (service.stopGraceMs !== null) body.StopTimeout = Math.ceil(service.stopGraceMs / 1000);
  if (service.healthCheck === 'disabled') body.Healthcheck = { Test: ['NONE'] };
  else if (service.healthCheck !== null) {
    const check = service.healthCheck;
    body.Healthcheck = {
      Test: check.test,
      Interval: ns(check.intervalMs),
      Timeout: ns(check.timeoutMs),
      Retries: check.retries,
      StartPeriod: ns(check.startPeriodMs),
      ...(check.startIntervalMs === null ? {} : { StartInterval: ns(check.startIntervalMs) }),
    };
  }
  if (first !== undefined) {
    const network = networkName(context.project, first.network);
    body.NetworkingConfig = { EndpointsConfig: { [network]: endpoint(first, context.addresses.get(first.network)) } };
  }
  return body;
}

/** How a container is attached to a network: its aliases and its pinned address. */
export function endpoint(attachment: Attachment, pinned: string | undefined): EndpointConfig {
  const ipv4 = attachment.ipv4 ?? pinned;
  const config: EndpointConfig = { Aliases: attachment.aliases };
  if (ipv4 !== undefined || attachment.ipv6 !== null) {
    config.IPAMConfig = {
      ...(ipv4 === undefined ? {} : { IPv4Address: ipv4 }),
      ...(attachment.ipv6 === null ? {} : { IPv6Address: attachment.ipv6 }),
    };
  }
  return config;
}

export function networkName(project: Project, key: string): string {
  return project.networks.find((n) => n.key === key)?.name ?? key;
}

/** Name of the labelled volume that stands for an anonymous one, so that a reset finds and burns it. */
export function anonymousVolumeName(project: Project, service: string, target: string): string {
  const hash = createHash('sha256').update(target).digest('hex').slice(0, 8);
  return `${project.name}_${service}_anonymous_${hash}`;
}

/** Paths of a service that get an anonymous volume: its own and those the image declares and nothing else is mounted on. */
export function anonymousTargets(service: Service, imageVolumes: readonly string[]): string[] {
  const own = service.mounts.filter((m) => m.type === 'volume' && m.volume === null).map((m) => m.target);
  const covered = new Set(service.mounts.map((m) => m.target));
  return [...own, ...imageVolumes.filter((path) => !covered.has(path))];
}

function containerLabels(service: Service, context: SpecContext): Record<string, string> {
  const { project, owner, subject, kind, generation, type } = context;
  const bounded = boundedVolumes(service, context);
  return {
    ...service.labels,
    [composeLabels.project]: project.name,
    [composeLabels.service]: service.name,
    'com.docker.compose.container-number': '1',
    'com.docker.compose.oneoff': 'False',
    'com.docker.compose.config-hash': createHash('sha256').update(`${project.hash} ${service.name}`).digest('hex'),
    'com.docker.compose.project.working_dir': project.workingDir,
    'com.docker.compose.project.config_files': project.file,
    'com.docker.compose.depends_on': service.dependsOn.map((d) => `${d.service}:${d.condition}:false`).join(','),
    'com.docker.compose.version': '2.26.1',
    [labels.owner]: owner,
    [labels.subject]: subject,
    [labels.kind]: kind,
    [labels.generation]: String(generation),
    [labels.definition]: definitionHash(project, service),
    ...(bounded.length === 0 ? {} : { [labels.bounded]: bounded.join(',') }),
    ...(type === null ? {} : { [labels.node]: service.name, [labels.type]: type }),
  };
}

/** Names of a service's volumes of limited size. */
function boundedVolumes(service: Service, { project, bounded }: SpecContext): string[] {
  if (!bounded) return [];
  const keys = service.mounts.flatMap((m) => (m.type === 'volume' && m.volume !== null ? [m.volume] : []));
  return project.volumes.filter((v) => v.bounded !== null && keys.includes(v.key)).map((v) => v.name);
}

function hostConfig(service: Service, context: SpecContext): HostConfig {
  const config: HostConfig = {
    Mounts: [
      ...service.mounts.filter((m) => m.type !== 'volume' || m.volume !== null).map((m) => mount(m, context.project)),
      ...anonymousTargets(service, context.imageVolumes).map((target) => ({
        Type: 'volume' as const,
        Source: anonymousVolumeName(context.project, service.name, target),
        Target: target,
      })),
    ],
    RestartPolicy: { Name: service.restart.policy, MaximumRetryCount: service.restart.maxRetries },
    ReadonlyRootfs: service.readOnly,
    CapAdd: service.capAdd,
    CapDrop: service.capDrop,
    SecurityOpt: service.securityOpt,
    Sysctls: { ...neighbourSysctls(service, context.apiVersion), ...service.sysctls },
    Ulimits: service.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ExtraHosts: service.extraHosts,
    Dns: service.dns,
    PortBindings: portBindings(service),
  };
  if (service.init !== null) config.Init = service.init;
  if (service.shmSizeBytes !== null) config.ShmSize = service.shmSizeBytes;
  if (service.memoryBytes !== null) config.Memory = service.memoryBytes;
  if (service.cpus !== null) config.NanoCpus = Math.round(service.cpus * 1e9);
  if (service.pidsLimit !== null) config.PidsLimit = service.pidsLimit;
  if (service.oomScoreAdj !== null) config.OomScoreAdj = service.oomScoreAdj;
  if (service.logging !== null) config.LogConfig = { Type: service.logging.driver, Config: service.logging.options };
  config.NetworkMode = networkMode(service, context.project);
  return config;
}

function networkMode(service: Service, project: Project): string {
  const mode = service.networkMode;
  if (mode === null) return networkName(project, service.networks[0]?.network ?? 'default');
  if (mode.mode === 'service') return `container:${project.services.find((s) => s.name === mode.service)?.containerName ?? mode.service}`;
  return mode.mode;
}

function portBindings(service: Service): NonNullable<HostConfig['PortBindings']> {
  const bindings: NonNullable<HostConfig['PortBindings']> = {};
  for (const { containerPort, protocol, hostIp, hostPort } of service.ports) {
    const key = `${containerPort}/${protocol}`;
    bindings[key] = [...(bindings[key] ?? []), { HostIp: hostIp, HostPort: hostPort === null ? '' : String(hostPort) }];
  }
  return bindings;
}

function mount(m: Mount, project: Project): NonNullable<HostConfig['Mounts']>[number] {
  switch (m.type) {
    case 'volume': {
      const source = project.volumes.find((v) => v.key === m.volume)?.name ?? m.volume ?? '';
      return {
        Type: 'volume',
        Source: source,
        Target: m.target,
        ReadOnly: m.readOnly,
        ...(m.noCopy ? { VolumeOptions: { NoCopy: true } } : {}),
      };
    }
    case 'bind':
      return { Type: 'bind', Source: m.source, Target: m.target, ReadOnly: m.readOnly };
    case 'tmpfs':
      return {
        Type: 'tmpfs',
        Target: m.target,
        TmpfsOptions: { ...(m.sizeBytes === null ? {} : { SizeBytes: m.sizeBytes }), ...(m.mode === null ? {} : { Mode: m.mode }) },
      };
  }
}
