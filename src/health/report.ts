import type { NodeHealth, SystemHealth } from '../kind/adapter.ts';
import type { Observed } from '../kind/observe.ts';

/** Health of a subject, in the shape of the API. */
export interface HealthReport {
  subject: string;
  healthy: boolean;
  has_issues: boolean;
  nodes: { id: string; name: string; type: string; health: NodeHealth; address: string }[];
  issues: string[];
  details: Record<string, unknown>;
  /** Null: not polled yet. */
  last_updated: string | null;
}

/** What the engine and the container's own check say of one node. */
export interface ContainerView {
  name: string;
  type: string;
  id: string;
  state: string;
  /** The container's own health check has passed since its start and is not failing now, or it has none. */
  checked: boolean;
  why: string | null;
}

/** Puts the containers' word and the system's word together: a subject is healthy only when both say so. */
export function combine(subject: string, containers: readonly ContainerView[], system: SystemHealth, at: string): HealthReport {
  const issues = containers.flatMap((c) => {
    if (c.state !== 'running') return [`${c.name}: its container is ${c.state}`];
    return c.checked ? [] : [`${c.name}: its own health check ${c.why ?? 'has not passed yet'}`];
  });
  const nodes = containers.map((c) => {
    const said = system.nodes.find((n) => n.name === c.name);
    return { id: c.id, name: c.name, type: c.type, health: nodeHealth(c, said?.health ?? 'unknown'), address: said?.address ?? '' };
  });
  const healthy =
    system.healthy &&
    containers.length > 0 &&
    containers.every((c) => c.state === 'running' && c.checked) &&
    nodes.every((n) => n.health === 'up');
  const all = [...new Set([...issues, ...system.issues])];
  return { subject, healthy, has_issues: !healthy || all.length > 0, nodes, issues: all, details: system.details, last_updated: at };
}

/** A node that does not run is down whatever the system still believes; one whose own check fails is not called up. */
function nodeHealth(container: ContainerView, said: NodeHealth): NodeHealth {
  if (container.state !== 'running') return said === 'offline' ? 'offline' : 'down';
  return said === 'up' && !container.checked ? 'unknown' : said;
}

/** When nothing could be asked. */
export function unknownReport(
  subject: string,
  nodes: readonly { name: string; type: string }[],
  health: NodeHealth,
  issue: string,
  at: string | null,
): HealthReport {
  return {
    subject,
    healthy: false,
    has_issues: true,
    nodes: nodes.map(({ name, type }) => ({ id: '', name, type, health, address: '' })),
    issues: [issue],
    details: {},
    last_updated: at,
  };
}

/** The container's part of a report for the services that are nodes. `checks` says whether a check passed. */
export function containerViews(
  observed: readonly Observed[],
  passed: (o: Observed) => { checked: boolean; why: string | null },
): ContainerView[] {
  return observed.flatMap((o) => {
    if (o.type === null) return [];
    const base = { name: o.service, type: o.type, id: o.detail?.id ?? '', state: o.detail?.state ?? 'absent' };
    return o.detail?.state === 'running' ? [{ ...base, ...passed(o) }] : [{ ...base, checked: false, why: null }];
  });
}
