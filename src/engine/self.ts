import { readFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { posix } from 'node:path';
import type { ContainerDetail, Engine } from './port.ts';

type Inspector = Pick<Engine, 'inspectContainer'>;

/** What this process is to an engine. */
export interface Self {
  /** In a container of this engine; one of another engine does not count. */
  inContainer: boolean;
  /** The container whose network this process uses: with a shared network namespace, its owner. */
  containerId: string | null;
  /** That container uses the host's network. */
  hostNetwork: boolean;
}

/** What is mounted into a container. */
export type Mounts = ContainerDetail['mounts'];

/** What a process can see of itself; injected in tests. */
export interface SelfSources {
  /** The file's text; empty where it cannot be read. */
  read(path: string): Promise<string>;
  hostname(): string;
  /** Own IPv4 addresses. */
  addresses(): string[];
}

/** What this process is to the engine. Throws what Engine.inspectContainer throws. */
export async function findSelf(engine: Inspector, signal: AbortSignal, sources = processSources): Promise<Self> {
  const found = await ownContainer(engine, signal, sources);
  return found === null ? { inContainer: false, containerId: null, hostNetwork: false } : describe(engine, found, signal);
}

/** What is mounted into this process's own container, whosever network it uses; null when it is in none of this engine. Throws as `findSelf`. */
export async function ownMounts(engine: Inspector, signal: AbortSignal, sources = processSources): Promise<Mounts | null> {
  return (await ownContainer(engine, signal, sources))?.mounts ?? null;
}

/**
 * This process's container. Ids come from the files that the engine mounts into every container, then from the
 * control group, then from the host name; each must be a running container of this engine. A host name proves nothing by
 * itself, so there the container must also hold one of our addresses.
 */
async function ownContainer(engine: Inspector, signal: AbortSignal, sources: SelfSources): Promise<ContainerDetail | null> {
  const mounted = idsInMountinfo(await sources.read('/proc/self/mountinfo'));
  const grouped = idsInCgroup(await sources.read('/proc/self/cgroup'));
  for (const id of new Set([...mounted, ...grouped])) {
    const found = await engine.inspectContainer(id, signal);
    if (found && isAlive(found)) return found;
  }
  const name = sources.hostname();
  if (/^[0-9a-f]{12}$/.test(name)) {
    const found = await engine.inspectContainer(name, signal);
    const own = new Set(sources.addresses());
    if (found && isAlive(found) && found.networks.some(({ ipv4 }) => ipv4 !== null && own.has(ipv4))) return found;
  }
  return null;
}

/**
 * Container ids in mounts such as `…/containers/<id>/hostname` on `/etc/hostname` (proc(5): field 4 is the path within the
 * file system, field 5 the place here). The place matters: an engine's host has mounts below `/var/lib/docker/containers` too.
 */
export function idsInMountinfo(text: string): string[] {
  return unique(
    text.split('\n').flatMap((line) => {
      const [, , , root = '', place = ''] = line.split(' ');
      const found = /\/containers\/([0-9a-f]{64})\/(hostname|hosts|resolv\.conf)$/.exec(root);
      return found?.[1] && place === `/etc/${found[2]}` ? [found[1]] : [];
    }),
  );
}

/** The innermost container ids in control group paths: `/docker/<id>`, `docker-<id>.scope`. Private groups of version 2 show none. */
export function idsInCgroup(text: string): string[] {
  return unique(
    text.split('\n').flatMap((line) => {
      const last = [...line.matchAll(/[/-]([0-9a-f]{64})(?=\.scope|\/|$)/g)].at(-1)?.[1];
      return last ? [last] : [];
    }),
  );
}

async function describe(engine: Inspector, found: ContainerDetail, signal: AbortSignal): Promise<Self> {
  const owner = /^container:([0-9a-f]{64})$/.exec(found.networkMode)?.[1];
  const holder = (owner && (await engine.inspectContainer(owner, signal))) || found;
  return { inContainer: true, containerId: holder.id, hostNetwork: holder.networkMode === 'host' };
}

/**
 * The path on the engine's host of an absolute path in a container with these mounts, by the innermost mount it lies under. Null: it lies in the container's
 * own layer, in memory, or on a volume that is no folder of the host.
 */
export function hostPath(mounts: Mounts, path: string): string | null {
  const holding = mounts.filter(({ destination }) => `${path}/`.startsWith(`${destination.replace(/\/$/, '')}/`));
  const inner = holding.sort((a, b) => b.destination.length - a.destination.length)[0];
  if (inner === undefined || (inner.type !== 'bind' && inner.type !== 'volume') || !inner.source.startsWith('/')) return null;
  return posix.join(inner.source, posix.relative(inner.destination, path));
}

function isAlive(found: ContainerDetail): boolean {
  return found.state === 'running' && found.pid > 0;
}

function unique(ids: string[]): string[] {
  return [...new Set(ids)];
}

const processSources: SelfSources = {
  read: (path) => readFile(path, 'utf8').catch(() => ''),
  hostname,
  addresses: () =>
    Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter((a) => a.family === 'IPv4' && !a.internal).map((a) => a.address),
    ),
};
