import { createHash } from 'node:crypto';
import { compare } from './maps.ts';
import type { Project } from './model.ts';

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

/** JSON with sorted keys; buffers as their digest. */
export function canonicalJson(value: unknown): string {
  if (Buffer.isBuffer(value)) return JSON.stringify({ sha256: createHash('sha256').update(value).digest('hex') });
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => compare(a, b));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
