import { realpath } from 'node:fs/promises';
import { Issues } from '../compose/issues.ts';
import type { Mount, Project, Service } from '../compose/model.ts';
import type { Engine } from '../engine/port.ts';
import { hostPath, type Mounts, ownMounts } from '../engine/self.ts';

/** The project with the sources of its binds as the engine sees them; throws `compose_invalid` for what it cannot see. */
export async function forEngine(engine: Engine, project: Project, signal: AbortSignal): Promise<Project> {
  if (project.services.every((s) => s.mounts.every((m) => m.type !== 'bind'))) return project;
  const mounts = await ownMounts(engine, signal);
  // What cannot be followed is gone since it was resolved: the engine will say so.
  return mounts === null ? project : withHostBinds(project, mounts, (path) => realpath(path).catch(() => path));
}

/**
 * The project with the sources of its binds as the engine's host has them, for a service in a container with these mounts. `real` gives a path without
 * symbolic links, as the container sees it. Throws `compose_invalid` for sources that are the container's own.
 */
export async function withHostBinds(project: Project, mounts: Mounts, real: (path: string) => Promise<string>): Promise<Project> {
  const issues = new Issues(project.file);
  const services: Service[] = [];
  for (const service of project.services) {
    const moved: Mount[] = [];
    for (const m of service.mounts) {
      if (m.type !== 'bind') {
        moved.push(m);
        continue;
      }
      const source = hostPath(mounts, await real(m.source));
      if (source === null) {
        const way = 'mount its folder into that container at the same path, or use configs:';
        const message = `${m.source} is in the container of subjectd itself, and the engine cannot mount it from there; ${way}`;
        issues.add(service.at, `services.${service.name}.volumes`, message, service.at.file);
      } else moved.push({ ...m, source });
    }
    services.push({ ...service, mounts: moved });
  }
  issues.throwIfAny();
  return { ...project, services };
}
