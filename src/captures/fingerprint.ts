import { createHash } from 'node:crypto';
import { canonicalJson } from '../compose/hash.ts';
import type { EngineInfo } from '../engine/port.ts';
import type { Observed } from '../kind/observe.ts';
import { labels } from '../kind/subject.ts';

/** What a capture was taken from, by what the engine has and not by what the files say now: somebody may have changed either. */
export interface Fingerprint {
  /** SHA-256 (hex) over `system`, as JSON with sorted keys and no spaces: the same in every copy and reset, and on every host that has the same images. */
  digest: string;
  system: {
    kind: string;
    /** By compose service; null: there is no container. */
    services: Record<string, { image_id: string; definition: string | null } | null>;
  };
  /** Where it ran: what numbers such as latencies depend on, and the reading of the state not. */
  host: {
    subjectd_version: string;
    engine_id: string;
    engine_version: string;
    api_version: string;
    operating_system: string;
    kernel: string;
    cgroup_version: string;
    cpus: number;
    memory_bytes: number;
  };
}

/** Containers of a version of the service that did not label them have a null `definition`. */
export function fingerprint(kind: string, observed: readonly Observed[], engine: EngineInfo, version: string): Fingerprint {
  const services = observed.map(({ service, detail }) => [
    service,
    detail === null ? null : { image_id: detail.imageId, definition: detail.labels[labels.definition] ?? null },
  ]);
  const system = { kind, services: Object.fromEntries(services) };
  return {
    digest: createHash('sha256').update(canonicalJson(system)).digest('hex'),
    system,
    host: {
      subjectd_version: version,
      engine_id: engine.id,
      engine_version: engine.version,
      api_version: engine.apiVersion,
      operating_system: engine.operatingSystem,
      kernel: engine.kernel,
      cgroup_version: engine.cgroupVersion,
      cpus: engine.cpus,
      memory_bytes: engine.memoryBytes,
    },
  };
}
