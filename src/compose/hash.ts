import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { compare } from './maps.ts';
import type { Project, Service } from './model.ts';

/**
 * SHA-256 (hex) of everything of a project that reaches the engine: contents of configs and secrets included; where the file stands, and the order of
 * its keys, left out.
 */
export function projectHash(project: Omit<Project, 'hash'>): string {
  const byName = <T>(items: readonly T[], name: (item: T) => string) => [...items].sort((a, b) => compare(name(a), name(b)));
  const canonical = {
    name: project.name,
    services: byName(project.services, (s) => s.name).map(({ at: _at, ...service }) => service),
    networks: byName(project.networks, (n) => n.key),
    volumes: byName(project.volumes, (v) => v.key),
  };
  return createHash('sha256').update(canonicalJson(canonical)).digest('hex');
}

/**
 * SHA-256 (hex) of what one service is made from, beside its image: its own definition with its networks and volumes. The same for every copy of a kind, wherever its folder
 * stands: names that begin with the project's, ports on the host and the path of the folder are left out. What is in a bind mount is not part of it, and a file
 * that writes the project's name into a variable makes each copy another.
 */
export function definitionHash(project: Project, service: Service): string {
  const { at: _at, containerName: _name, image: _image, ports, mounts, ...rest } = service;
  const attached = rest.networks.map((n) => n.network);
  const mounted = mounts.flatMap((m) => (m.type === 'volume' && m.volume !== null ? [m.volume] : []));
  const definition = {
    ...rest,
    ports: ports.map(({ containerPort, protocol }) => ({ containerPort, protocol })),
    mounts: mounts.map((m) => (m.type === 'bind' ? { ...m, source: within(project.workingDir, m.source) } : m)),
    onNetworks: project.networks.filter((n) => attached.includes(n.key)).map(({ name: _, ...network }) => network),
    onVolumes: project.volumes.filter((v) => mounted.includes(v.key)).map(({ name: _, ...volume }) => volume),
  };
  return createHash('sha256').update(canonicalJson(definition)).digest('hex');
}

function within(folder: string, path: string): string {
  const relative = posix.relative(folder, path);
  return relative === '..' || relative.startsWith('../') ? path : relative;
}

/** JSON with sorted keys; buffers as their digest. */
export function canonicalJson(value: unknown): string {
  if (Buffer.isBuffer(value)) return JSON.stringify({ sha256: createHash('sha256').update(value).digest('hex') });
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => compare(a, b));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
