import type { Engine } from '../../src/engine/port.ts';
import type { Toolbox } from '../../src/toolbox/port.ts';

/** What a subject has on its engine, by names that are the same in every generation: equal states give equal texts. */
export interface State {
  /** Containers, networks, volumes, bounded volumes and loop devices of the project. */
  objects: string[];
  /** By node: state and name of its container, all rules and qdiscs of its network namespace, what a fault can change in its cgroup, the hidden files of its volume. */
  nodes: Record<string, Record<string, string>>;
  /** Files of the toolbox, helper processes, watchdog's records and remains of faults that belong to this subject or its service. */
  leftovers: string[];
}

export interface Audited {
  project: string;
  owner: string;
  /** All that it ever had. */
  faults: readonly string[];
}

const serviceLabel = 'com.docker.compose.service';

/** Looks at everything that a fault or a reset could leave behind, from outside of the service. */
export async function look(engine: Engine, toolbox: Toolbox, { project, owner, faults }: Audited, signal: AbortSignal): Promise<State> {
  const label = `com.docker.compose.project=${project}`;
  const [containers, networks, volumes, bounded, records] = await Promise.all([
    engine.listContainers([label], signal),
    engine.listNetworks(signal),
    engine.listVolumes([label], signal),
    toolbox.call('volume.list', {}, signal),
    toolbox.call('records', {}, signal),
  ]);
  const ids = containers.map((c) => c.id);
  const ours = bounded.volumes.filter((v) => v.volume.startsWith(`${project}_`));
  const [snapshot, { residue }, nodes] = await Promise.all([
    toolbox.call('snapshot', { container_ids: ids }, signal, 20_000),
    toolbox.call('audit', { fault: null, container_ids: ids, volumes: ours.map((v) => v.volume) }, signal, 20_000),
    Promise.all(containers.map((c) => outside(engine, c.id, signal))),
  ]);
  const ownText = (text: string) => [...faults, ...ids, ...ours.map((v) => v.volume), `${project}_`].some((name) => text.includes(name));
  const node = (id: string) => containers.find((c) => c.id === id)?.labels[serviceLabel] ?? id;
  return {
    objects: [
      ...containers.map((c) => `container ${c.name}`),
      ...networks.filter((n) => n.labels['com.docker.compose.project'] === project).map((n) => `network ${n.name}`),
      ...volumes.map((v) => `volume ${v.name}`),
      ...ours.map((v) => `bounded volume ${v.volume} of ${v.bytes} bytes`),
      ...snapshot.host.loop.filter(ownText).map((text) => text.replace(/^\S+/, 'loop device')),
    ].sort(),
    nodes: Object.fromEntries(
      containers.map((c, i) => {
        const inside = snapshot.containers[c.id];
        return [node(c.id), { ...nodes[i], state: c.state, netns: masked(inside?.netns ?? 'none'), ...inside?.cgroup }];
      }),
    ),
    leftovers: [
      ...records.records.filter((r) => r.owner === owner || faults.includes(r.fault)).map((r) => `watchdog record of ${r.fault}`),
      // The toolbox also tells of what is in no container that it was asked about: that may belong to anybody.
      ...residue.filter((r) => ids.includes(r.container_id) || ownText(r.what)).map((r) => `${node(r.container_id)}: ${r.what}`),
      ...snapshot.host.helpers.filter(ownText).map((text) => `helper ${text}`),
      // The images of bounded volumes are among the objects.
      ...snapshot.host.files.filter((file) => ownText(file) && !file.startsWith('volumes/')).map((file) => `file ${file}`),
    ].sort(),
  };
}

/** What can be seen of a node without the toolbox: a fault's file on its volumes, its networks, and what is in its store where it is one. */
async function outside(engine: Engine, id: string, signal: AbortSignal): Promise<Record<string, string>> {
  const detail = await engine.inspectContainer(id, signal);
  if (detail?.state !== 'running') return { volumes: 'not to be seen' };
  const volumes = detail.mounts.filter((m) => m.type === 'volume').map((m) => m.destination);
  const run = async (argv: string[]) => {
    const { stdout, stderr } = await engine.exec(id, argv, signal);
    return `${stdout}${stderr}`;
  };
  return {
    volumes: volumes.length === 0 ? '' : await run(['find', ...volumes, '-name', '.subjectd*']),
    networks: detail.networks.map((n) => n.name).join(' '),
    ...(detail.labels[serviceLabel] === 'redis' ? { keys: await run(['redis-cli', 'dbsize']) } : {}),
  };
}

/** The engine's resolver listens on ports of its own in every namespace, others after each start. */
function masked(netns: string): string {
  return netns
    .split('\n')
    .map((line) => (line.includes('127.0.0.11') ? line.replaceAll(/\b\d{4,5}\b/g, 'N') : line))
    .join('\n');
}

/** How a state differs from the one it should be; empty: not at all. */
export function differences(expected: State, found: State): string[] {
  const all = [...found.leftovers.map((text) => `left behind: ${text}`)];
  all.push(...found.objects.filter((o) => !expected.objects.includes(o)).map((o) => `there is ${o}`));
  all.push(...expected.objects.filter((o) => !found.objects.includes(o)).map((o) => `missing: ${o}`));
  for (const [name, before] of Object.entries(expected.nodes)) {
    const now = found.nodes[name] ?? {};
    for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
      if (before[key] !== now[key]) all.push(`${name}: ${key} was ${JSON.stringify(before[key])}, is ${JSON.stringify(now[key])}`);
    }
  }
  return all;
}

/** A subject that is not there. */
export const nothing: State = { objects: [], nodes: {}, leftovers: [] };
