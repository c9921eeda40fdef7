import type { ContainerDetail, Engine } from '../engine/port.ts';
import { atOnce, type Turn } from '../lib/turns.ts';
import type { Node } from './adapter.ts';
import { composeLabels, labels, nodeNames, type Subject } from './subject.ts';

/** What the engine has of one compose service of a subject; `detail` is null when there is no container. */
export interface Observed {
  service: string;
  /** Null: the service is not a node of the system (a load generator). */
  type: string | null;
  detail: ContainerDetail | null;
}

/** Looks at all containers of the subject that this service made, each in its turn. Throws EngineError. */
export async function observe(
  engine: Engine,
  owner: string,
  subject: Subject,
  signal: AbortSignal,
  turn: Turn = atOnce,
): Promise<Observed[]> {
  const found = await engine.listContainers([`${labels.owner}=${owner}`, `${composeLabels.project}=${subject.project.name}`], signal);
  const details = await Promise.all(found.map((c) => turn(() => engine.inspectContainer(c.id, signal), signal)));
  return subject.project.services.map(({ name }) => ({
    service: name,
    type: subject.kind.adapter.nodeTypes[name] ?? null,
    detail: details.find((d) => d?.labels[composeLabels.service] === name) ?? null,
  }));
}

/** The nodes as an adapter sees them. A node without a container has an empty id. */
export function toNodes(subject: Subject, observed: readonly Observed[]): Node[] {
  return nodeNames(subject).map((name) => {
    const seen = observed.find((o) => o.service === name);
    const service = subject.project.services.find((s) => s.name === name);
    const detail = seen?.detail ?? null;
    const network = subject.project.networks.find((n) => n.key === service?.networks[0]?.network)?.name;
    const attached = detail?.networks.find((n) => n.name === network) ?? detail?.networks[0];
    return {
      name,
      type: subject.kind.adapter.nodeTypes[name] ?? '',
      container: service?.containerName ?? '',
      containerId: detail?.id ?? '',
      running: detail?.state === 'running',
      startedAt: detail?.startedAt ?? null,
      address: detail?.state === 'running' ? (attached?.ipv4 ?? attached?.ipv6 ?? null) : null,
    };
  });
}
