import { BlockList, isIP } from 'node:net';
import type { Service } from '../compose/model.ts';
import type { Role } from '../kind/adapter.ts';
import type { Observed } from '../kind/observe.ts';
import type { EndpointView, NodeView, SubjectPhase, SubjectView } from './api.ts';
import type { Host } from './host.ts';

/** A subject as the API shows it. `roles` are those known now. */
export function subjectView(host: Host, observed: readonly Observed[], roles: readonly Role[], advertiseHost: string | null): SubjectView {
  const { subject } = host;
  const services = subject.project.services.filter((s) => s.name in subject.kind.adapter.nodeTypes);
  return {
    name: subject.name,
    kind: subject.kind.name,
    project: subject.project.name,
    phase: phaseNow(host, observed),
    generation: host.generation,
    nodes: services.map((s) => nodeView(host, s, observed, roles)),
    endpoints: subject.project.services.flatMap((s) => endpoints(s, observed.find((o) => o.service === s.name) ?? null, advertiseHost)),
    operation: host.holder,
  };
}

/** What somebody else took down is absent, whatever was last written down. */
function phaseNow(host: Host, observed: readonly Observed[]): SubjectPhase {
  const settled = host.phase === 'running' || host.phase === 'failed';
  return settled && observed.every((o) => o.detail === null) ? 'absent' : host.phase;
}

function nodeView(host: Host, service: Service, observed: readonly Observed[], roles: readonly Role[]): NodeView {
  const detail = observed.find((o) => o.service === service.name)?.detail ?? null;
  const role = roles.find((r) => r.node === service.name)?.role;
  return {
    name: service.name,
    type: host.subject.kind.adapter.nodeTypes[service.name] ?? '',
    container: service.containerName,
    container_id: detail?.id ?? null,
    state: detail?.state ?? 'absent',
    ...(role === undefined ? {} : { role }),
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Where a port that is bound to an address is reached: the advertised host does not stand for one on loopback, which answers nobody else. */
function outsideHost(bound: string, advertiseHost: string | null): string {
  if (loopback.check(bound, isIP(bound) === 6 ? 'ipv6' : 'ipv4')) return bound;
  if (advertiseHost !== null) return advertiseHost;
  if (bound === '::') return '::1';
  return bound === '0.0.0.0' || bound === '' ? '127.0.0.1' : bound;
}

/** One for each port a service publishes or exposes. A port the engine picked is known only while the container runs. */
function endpoints(service: Service, observed: Observed | null, advertiseHost: string | null): EndpointView[] {
  const published = service.ports.map((p): EndpointView => {
    const actual =
      p.hostPort ?? observed?.detail?.ports.find((d) => d.containerPort === p.containerPort && d.protocol === p.protocol)?.hostPort ?? null;
    const host = outsideHost(p.hostIp, advertiseHost);
    return {
      node: service.name,
      port: p.containerPort,
      protocol: p.protocol,
      outside: actual === null ? null : `${host.includes(':') ? `[${host}]` : host}:${actual}`,
      inside: `${service.name}:${p.containerPort}`,
    };
  });
  const exposed = service.expose
    .filter((port) => !service.ports.some((p) => p.containerPort === port && p.protocol === 'tcp'))
    .map((port): EndpointView => ({ node: service.name, port, protocol: 'tcp', outside: null, inside: `${service.name}:${port}` }));
  return [...published, ...exposed];
}
