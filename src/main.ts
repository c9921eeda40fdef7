import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import closeWithGrace from 'close-with-grace';
import pino, { type Logger } from 'pino';
import { createControl } from './control/create.ts';
import { createEngine } from './engine/dockerode.ts';
import { EngineError } from './engine/port.ts';
import { buildApp } from './http/app.ts';
import { openIdempotencyStore } from './http/idempotency-store.ts';
import { inDataDir } from './ledger/lock.ts';
import { deadline } from './lib/until.ts';
import { standardOutput } from './log_output.ts';
import { prioritize } from './priority.ts';
import { loggerOptions, readSettings, type Settings } from './settings.ts';

/** Time for a graceful stop: what runs is cancelled, faults are healed. */
const graceMs = 25_000;
/** What the log's reader is given at the end. */
const lastLinesMs = 500;
const output = standardOutput();

async function main(): Promise<void> {
  const here = dirname(fileURLToPath(import.meta.url));
  const root = findRoot(here);
  const settings = readSettings(process.env, root);
  const log = logger(settings);
  takePriority(settings, log);
  const engine = createEngine(settings.dockerHost === null ? {} : { dockerHost: settings.dockerHost });
  await requireEngine(engine, settings);
  const version = String((JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: unknown }).version);
  const handle = await createControl({
    ...settings,
    engine,
    log,
    version,
    kindFolders: [
      { files: join(root, 'subjects'), code: join(here, '..', 'subjects') },
      ...settings.subjectsDirs.map((dir) => ({ files: dir, code: dir, setting: 'SUBJECTD_SUBJECTS_DIR' })),
    ],
    env: process.env,
  });
  const idempotency = await inDataDir(settings.dataDir, () => openIdempotencyStore(join(settings.dataDir, 'idempotency.ndjson')));
  const app = await buildApp({
    control: handle.control,
    logger: log,
    token: settings.token,
    allowedHosts: settings.allowedHosts,
    version,
    shuttingDown: handle.shuttingDown,
    idempotency,
  });
  closeWithGrace({ delay: graceMs + 5000, logger: { error: (text: string) => log.error(text) } as Console }, async ({ err, signal }) => {
    if (err !== undefined) log.fatal({ err }, 'the service failed');
    log.info({ signal }, 'stopping: no new work, healing what is live');
    await handle.close(graceMs);
    await app.close();
    await idempotency.close();
    await engine.close();
    await output.flushed(lastLinesMs);
  });
  try {
    await app.listen({ host: settings.host, port: settings.port });
  } catch (error) {
    await handle.close(graceMs);
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new Error(`Port ${settings.port} on ${settings.host} is taken. Stop what holds it, or set SUBJECTD_PORT to another.`);
    }
    throw error;
  }
}

async function requireEngine(engine: ReturnType<typeof createEngine>, settings: Settings): Promise<void> {
  using limited = deadline('engine', 10_000);
  try {
    await engine.ping(limited);
  } catch (error) {
    const why = error instanceof EngineError ? error.message : 'no answer within 10 s';
    throw new Error(`No Docker engine answers at ${settings.dockerHost ?? '/var/run/docker.sock'} (${why}). Start it, or set DOCKER_HOST.`);
  }
}

/** Without the right to it the service works all the same, only later when the host is busy. */
function takePriority({ nice }: Settings, log: Logger): void {
  if (nice === 0) return;
  try {
    prioritize(nice);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    log.info({ code }, `no right to nice ${nice}: when the subjects use all of the CPU, answers may be late (SUBJECTD_NICE)`);
  }
}

function logger(settings: Settings): Logger {
  if (!process.stdout.isTTY) return pino(loggerOptions(settings), output);
  const pretty = { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' } };
  return pino({ ...loggerOptions(settings), transport: pretty });
}

function findRoot(from: string): string {
  let dir = from;
  while (!existsSync(join(dir, 'package.json'))) {
    if (dirname(dir) === dir) throw new Error('The service’s package.json is not above its code.');
    dir = dirname(dir);
  }
  return dir;
}

main().catch(async (error: unknown) => {
  const oneLine = error instanceof Error ? error.message : String(error);
  process.stderr.write(`subjectd: ${oneLine}\n`);
  if (process.env.SUBJECTD_LOG_LEVEL === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  await output.flushed(lastLinesMs);
  process.exit(1);
});
