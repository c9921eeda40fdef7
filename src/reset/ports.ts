import { createServer } from 'node:net';
import type { Project } from '../compose/model.ts';
import { Problem } from '../lib/problem.ts';

/**
 * Throws `port_taken` when a fixed host TCP port of the project is held by somebody else, before anything is burnt. `held` are the ports that the
 * subject's own containers publish now. Only means something on the engine's own host.
 */
export async function refuseTakenPorts(project: Project, held: ReadonlySet<number>): Promise<void> {
  const wanted = project.services.flatMap((s) =>
    s.ports.flatMap((p) =>
      p.hostPort === null || p.protocol !== 'tcp' || held.has(p.hostPort) ? [] : [{ service: s.name, hostIp: p.hostIp, port: p.hostPort }],
    ),
  );
  const taken = (await Promise.all(wanted.map(async (w) => ((await isFree(w.hostIp, w.port)) ? [] : [w])))).flat();
  refuse(taken);
}

/** The same from inside a container, which sees no host ports: throws for those that other containers publish. Another process's port shows only at the start. */
export function refusePublishedPorts(project: Project, published: ReadonlySet<number>): void {
  refuse(
    project.services.flatMap((s) =>
      s.ports.flatMap((p) =>
        p.hostPort !== null && published.has(p.hostPort) ? [{ service: s.name, hostIp: p.hostIp, port: p.hostPort }] : [],
      ),
    ),
  );
}

function refuse(taken: readonly { service: string; hostIp: string; port: number }[]): void {
  if (taken.length === 0) return;
  throw new Problem(
    'port_taken',
    `Host port ${taken.map((t) => `${t.hostIp}:${t.port} (${t.service})`).join(', ')} is taken. Nothing was changed.`,
    {
      ports: taken.map((t) => ({ service: t.service, host_ip: t.hostIp, port: t.port })),
    },
  );
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      // An address this host does not have (the engine is elsewhere): the engine will say.
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'EACCES') resolve(true);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
