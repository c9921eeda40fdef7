import type { ApiContainer, ApiContainerListed, ApiEvent, ApiHealthcheck, ApiImage, ApiNetwork } from './api.ts';
import type { ContainerDetail, ContainerState, ContainerSummary, EngineEvent, ImageDetail, NetworkDetail, NetworkSummary } from './port.ts';

const states: readonly string[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] satisfies ContainerState[];

/** What the engine takes where a health check gives no time (Dockerfile reference, HEALTHCHECK). */
const defaultProbeMs = 30_000;

export function toContainerSummary(listed: ApiContainerListed): ContainerSummary {
  const networks = Object.entries(listed.NetworkSettings?.Networks ?? {}).map(([name, endpoint]) => [name, endpoint?.NetworkID ?? '']);
  return {
    id: listed.Id,
    // A link adds names of the form /other/alias.
    name: (listed.Names ?? []).map(withoutSlash).find((name) => !name.includes('/')) ?? '',
    image: listed.Image,
    imageId: listed.ImageID,
    state: stateOf(listed.State, listed.State === 'running'),
    labels: listed.Labels ?? {},
    networks: Object.fromEntries(networks),
  };
}

export function toContainerDetail(found: ApiContainer): ContainerDetail {
  const { State: state, Config: config } = found;
  return {
    id: found.Id,
    name: withoutSlash(found.Name),
    imageId: found.Image,
    labels: config.Labels ?? {},
    state: stateOf(state.Status, state.Running),
    pid: state.Pid ?? 0,
    exitCode: state.ExitCode ?? 0,
    oomKilled: state.OOMKilled ?? false,
    error: state.Error ?? '',
    restartCount: found.RestartCount ?? 0,
    startedAt: timeOf(state.StartedAt),
    finishedAt: timeOf(state.FinishedAt),
    health: healthOf(state.Health),
    healthCheck: healthCheckOf(config.Healthcheck),
    networkMode: found.HostConfig.NetworkMode ?? '',
    networks: Object.entries(found.NetworkSettings.Networks ?? {}).map(([name, endpoint]) => ({
      name,
      id: endpoint?.NetworkID ?? '',
      ipv4: endpoint?.IPAddress || null,
      ipv6: endpoint?.GlobalIPv6Address || null,
      gateway: endpoint?.Gateway || null,
    })),
    ports: Object.entries(found.NetworkSettings.Ports ?? {}).flatMap(([port, bindings]) => portsOf(port, bindings ?? [])),
    mounts: (found.Mounts ?? []).map((m) => ({ type: m.Type, name: m.Name || null, source: m.Source ?? '', destination: m.Destination })),
  };
}

export function toNetworkSummary(found: ApiNetwork): NetworkSummary {
  return {
    id: found.Id,
    name: found.Name,
    driver: found.Driver,
    labels: found.Labels ?? {},
    subnets: (found.IPAM?.Config ?? []).flatMap((config) => (config.Subnet ? [config.Subnet] : [])),
  };
}

export function toNetworkDetail(found: ApiNetwork): NetworkDetail {
  const containers = Object.entries(found.Containers ?? {}).map(([id, endpoint]) => ({
    id,
    name: endpoint.Name,
    ipv4: endpoint.IPv4Address?.split('/')[0] || null,
  }));
  return {
    ...toNetworkSummary(found),
    internal: found.Internal ?? false,
    enableIpv6: found.EnableIPv6 ?? false,
    options: found.Options ?? {},
    gateways: (found.IPAM?.Config ?? []).flatMap((config) => (config.Subnet ? [config.Gateway || null] : [])),
    containers,
  };
}

export function toImageDetail(found: ApiImage): ImageDetail {
  return {
    id: found.Id,
    tags: found.RepoTags ?? [],
    volumes: Object.keys(found.Config?.Volumes ?? {}),
    labels: found.Config?.Labels ?? {},
  };
}

/** Null for other types than container and network. The nanoseconds are beyond 2^53: exact to a microsecond. */
export function toEngineEvent(seen: ApiEvent): EngineEvent | null {
  if (seen.Type !== 'container' && seen.Type !== 'network') return null;
  return {
    atSeconds: seen.timeNano / 1e9,
    type: seen.Type,
    action: seen.Action,
    id: seen.Actor.ID,
    attributes: seen.Actor.Attributes ?? {},
  };
}

/** Milliseconds since the epoch; the engine's zero time and nothing are null. */
export function timeOf(text: string | undefined): number | null {
  if (!text || text.startsWith('0001-01-01T00:00:00')) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** A state that a later engine may add is told by whether the process runs. */
function stateOf(status: string, running: boolean): ContainerState {
  if (states.includes(status)) return status as ContainerState;
  return running ? 'running' : 'exited';
}

function healthOf(health: ApiContainer['State']['Health']): ContainerDetail['health'] {
  if (!health) return null;
  const { Status: status } = health;
  if (status !== 'starting' && status !== 'healthy' && status !== 'unhealthy') return null;
  return { status, failingStreak: health.FailingStreak ?? 0, lastOutput: health.Log?.at(-1)?.Output ?? null };
}

function healthCheckOf(check: ApiHealthcheck | null | undefined): ContainerDetail['healthCheck'] {
  const test = check?.Test ?? [];
  if (test.length === 0 || test[0] === 'NONE') return null;
  return { test, timeoutMs: msOf(check?.Timeout), intervalMs: msOf(check?.Interval) };
}

function msOf(nanoseconds: number | undefined): number {
  return nanoseconds ? nanoseconds / 1e6 : defaultProbeMs;
}

function portsOf(port: string, bindings: { HostIp: string; HostPort: string }[]): ContainerDetail['ports'] {
  const [containerPort, protocol = 'tcp'] = port.split('/');
  return bindings.map((b) => ({ containerPort: Number(containerPort), protocol, hostIp: b.HostIp, hostPort: Number(b.HostPort) }));
}

function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name;
}
