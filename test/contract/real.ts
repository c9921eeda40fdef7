import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createControl } from '../../src/control/create.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import { buildApp } from '../../src/http/app.ts';
import { parseRange } from '../../src/reset/subnet.ts';

const subjects = fileURLToPath(new URL('../../subjects', import.meta.url));

/** The whole service but its socket, on the real engine, with subjects of its own names, ports and networks. */
export async function startService(dataDir: string): Promise<{ app: FastifyInstance; close(): Promise<void> }> {
  const subnetPool = parseRange('10.219.0.0/16');
  if (subnetPool === null) throw new Error('not a range');
  const engine = createEngine();
  const handle = await createControl({
    engine,
    log: pino({ level: 'silent' }),
    version: '0.0.0-test',
    dataDir,
    kindFolders: [{ files: subjects, code: subjects }],
    env: process.env,
    projectPrefix: 'contract-',
    portOffset: 15_000,
    subnetPool,
    healthIntervalMs: 1000,
    supervisionIntervalMs: 5000,
    advertiseHost: null,
    toolboxImage: 'subjectd/toolbox:1',
    engineSocket: '/var/run/docker.sock',
  });
  const app = await buildApp({ control: handle.control, logger: false, token: null, allowedHosts: [], version: '0.0.0-test' });
  return {
    app,
    close: async () => {
      await app.close();
      await handle.close(25_000);
      await engine.close();
    },
  };
}
