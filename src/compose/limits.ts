import { read, type Section } from './context.ts';
import { ulimitKeys } from './keys/entries.ts';
import { compare } from './maps.ts';
import type { Service } from './model.ts';
import type { Field, NamedField, Reader } from './reader.ts';

type Limits = Pick<Service, 'ulimits' | 'shmSizeBytes' | 'memoryBytes' | 'cpus' | 'pidsLimit' | 'oomScoreAdj'>;

/** The engine refuses less. */
const leastMemory = 6 * 1024 * 1024;

/** What a service may use. Zero means no limit, as in Compose, and is null here. */
export function readLimits(section: Section): Limits {
  return {
    ulimits: read(section, 'ulimits', readUlimits) ?? [],
    shmSizeBytes: read(section, 'shm_size', (r, f) => r.bytes(f)) || null,
    memoryBytes: read(section, 'mem_limit', memory) || null,
    cpus: read(section, 'cpus', (r, f) => r.number(f, 0, 1024)) || null,
    pidsLimit: positive(read(section, 'pids_limit', (r, f) => r.integer(f, -1, 4_194_304))),
    oomScoreAdj: read(section, 'oom_score_adj', (r, f) => r.integer(f, -1000, 1000)) ?? null,
  };
}

function positive(value: number | undefined): number | null {
  return value !== undefined && value > 0 ? value : null;
}

function memory(reader: Reader, field: Field): number | undefined {
  const bytes = reader.bytes(field);
  return bytes === undefined || bytes === 0 || bytes >= leastMemory
    ? bytes
    : reader.fail(field, 'is less than the engine takes; give it at least 6m');
}

const ulimitNames = 'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ');

function readUlimits(reader: Reader, field: Field): Service['ulimits'] | undefined {
  const limits = reader.named(field)?.flatMap((entry) => readUlimit(reader, entry) ?? []);
  return limits?.sort((a, b) => compare(a.name, b.name));
}

function readUlimit(reader: Reader, entry: NamedField): Service['ulimits'][number] | undefined {
  if (!ulimitNames.includes(entry.key)) {
    reader.issues.add(entry.keyAt, entry.path, `there is no such limit; use one of ${ulimitNames.join(', ')}`);
    return undefined;
  }
  const value = (field: Field) => reader.integer(field, -1, Number.MAX_SAFE_INTEGER);
  if (entry.tree.kind !== 'map') {
    const both = value(entry);
    return both === undefined ? undefined : { name: entry.key, soft: both, hard: both };
  }
  const fields = reader.keyed(entry, ulimitKeys);
  const softField = fields?.get('soft');
  const hardField = fields?.get('hard');
  if (softField === undefined || hardField === undefined) return reader.fail(entry, 'needs both soft: and hard:');
  const soft = value(softField);
  const hard = value(hardField);
  if (soft === undefined || hard === undefined) return undefined;
  if (hard !== -1 && (soft === -1 || soft > hard)) return reader.fail(softField, `soft is above hard (${hard}); lower it`);
  return { name: entry.key, soft, hard };
}
