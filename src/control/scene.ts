import type { Scene, SceneNode } from '../faults/scene.ts';
import type { Node } from '../kind/adapter.ts';
import { type Observed, observe, toNodes } from '../kind/observe.ts';
import { labels, type Subject } from '../kind/subject.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';

/** The subject as it is now, for planning and measuring faults. Throws EngineError. */
export async function sceneOf(context: Context, host: Host, signal: AbortSignal): Promise<Scene> {
  const observed = await observe(context.engine, context.owner, host.subject, signal);
  const nodes = toNodes(host.subject, observed);
  return {
    subject: host.subject.name,
    nodes: nodes.map((node) => sceneNode(host.subject, node, observed)),
    engine: context.engine,
    toolbox: context.toolbox,
    clock: context.clock,
    deaths: context.deaths,
    toolkit: host.reach.toolkit(host.subject.name, nodes, context.env),
  };
}

function sceneNode(subject: Subject, node: Node, observed: readonly Observed[]): SceneNode {
  const { project } = subject;
  const service = project.services.find((s) => s.name === node.name);
  const detail = observed.find((o) => o.service === node.name)?.detail ?? null;
  const holder = namespaceOf(subject, node.name);
  const holding = holder === node.name ? detail : (observed.find((o) => o.service === holder)?.detail ?? null);
  const bounded = (service?.mounts ?? []).flatMap((m) => {
    if (m.type !== 'volume' || m.volume === null) return [];
    const volume = project.volumes.find((v) => v.key === m.volume);
    // Where no loop device could be had the volume is a plain one, and its container has no such label.
    const isBounded = volume !== undefined && (detail?.labels[labels.bounded] ?? '').split(',').includes(volume.name);
    return isBounded ? [{ volume: volume.name, path: m.target }] : [];
  });
  const alive = detail?.state === 'running' || detail?.state === 'paused';
  return {
    ...node,
    paused: detail?.state === 'paused',
    networks: alive ? (holding?.networks ?? []).map(({ id, name, ipv4, ipv6 }) => ({ id, name, ipv4, ipv6 })) : [],
    hostNetwork: holding?.networkMode === 'host',
    sharesNetworkWith: project.services.map((s) => s.name).filter((name) => name !== node.name && namespaceOf(subject, name) === holder),
    bounded,
    memoryLimited: (service?.memoryBytes ?? 0) > 0,
  };
}

/** The service whose network namespace a service uses: its own, as a rule. */
function namespaceOf(subject: Subject, name: string): string {
  const mode = subject.project.services.find((s) => s.name === name)?.networkMode;
  return mode?.mode === 'service' ? namespaceOf(subject, mode.service) : name;
}
