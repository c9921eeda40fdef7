import { join } from 'node:path';
import type { Logger } from 'pino';
import { CaptureStore } from '../captures/store.ts';
import { type Engine, EngineError } from '../engine/port.ts';
import { findSelf } from '../engine/self.ts';
import { EventLog } from '../events/log.ts';
import { FaultStore } from '../faults/store.ts';
import { Watchdog } from '../faults/watchdog.ts';
import { Quiet } from '../health/quiet.ts';
import { Checks } from '../kind/check.ts';
import { type Kind, type KindFolder, knownProfiles, loadKinds } from '../kind/loader.ts';
import { Ledger } from '../ledger/ledger.ts';
import { type DataDirLock, inDataDir, lockDataDir, makeDataDir } from '../ledger/lock.ts';
import { ownerOf } from '../ledger/owner.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRng } from '../lib/rng.ts';
import { deadline } from '../lib/until.ts';
import { BoundedVolumes } from '../reset/bounded.ts';
import { ImagePins } from '../reset/images.ts';
import type { Range } from '../reset/subnet.ts';
import { type Toolbox, ToolboxError } from '../toolbox/port.ts';
import { ResidentToolbox } from '../toolbox/resident.ts';
import type { Control } from './api.ts';
import type { Context } from './context.ts';
import { DeathsTold } from './deaths.ts';
import { Lifecycle } from './lifecycle.ts';
import { Metrics } from './metrics.ts';
import { Operations } from './operations.ts';
import { controlService } from './service.ts';

export interface ControlOptions {
  engine: Engine;
  log: Logger;
  /** Of the service: part of each capture's fingerprint. */
  version: string;
  dataDir: string;
  kindFolders: readonly KindFolder[];
  /** What the compose files' variables are taken from. */
  env: Readonly<Record<string, string | undefined>>;
  projectPrefix: string;
  portOffset: number;
  subnetPool: Range;
  healthIntervalMs: number;
  supervisionIntervalMs: number;
  advertiseHost: string | null;
  toolboxImage: string;
  engineSocket: string;
  /** For tests that stop or replace a toolbox of their own. */
  toolboxName?: string;
  /** Wraps what the outside is changed through. For tests that cut the service off at a chosen call. */
  instrument?: <T extends object>(what: 'engine' | 'ledger' | 'toolbox', thing: T) => T;
}

/** The service without its HTTP surface. */
export interface ControlHandle {
  control: Control;
  shuttingDown: () => boolean;
  /** Stops what runs, heals what is live within `graceMs`, and closes. */
  close(graceMs: number): Promise<void>;
}

/**
 * Puts the service together: loads the kinds, takes the data directory, opens the ledger, recovers from whatever the last run left, then answers. Throws an
 * Error with one sentence when it cannot: a data directory in use or of no use, a kind that cannot be loaded, an engine that does not answer.
 */
export async function createControl(options: ControlOptions): Promise<ControlHandle> {
  const { log, dataDir } = options;
  const instrument = options.instrument ?? ((_what, thing) => thing);
  const engine = instrument('engine', options.engine);
  const kinds = await loadKinds(options.kindFolders);
  await warnOfProfiles(kinds, options);
  const { lock, owner, events, captures, ...opened } = await inDataDir(dataDir, () => openDataDir(dataDir));
  const ledger = instrument('ledger', opened.ledger);
  events.onWriteError = (error) => log.error({ error }, 'the event file cannot be written');
  captures.onDamage = (file, error) => log.error({ file, error }, 'a capture cannot be read or removed: it is as if it were not there');
  captures.onDropped = (id, subject) => events.emit('capture.dropped', subject, { capture_id: id });
  ledger.onCompactionError = (error) => log.warn({ error }, 'the ledger could not be compacted');
  if (ledger.damage.tornBytes > 0) log.warn(ledger.damage, 'the ledger ended in a torn record, which was cut off');
  if (ledger.damage.damagedLines.length > 0)
    log.error(ledger.damage, 'the ledger has damaged lines: faults recorded there cannot be undone from it');
  const metrics = new Metrics();
  const operations = new Operations(ledger, systemClock, (error, operation) =>
    log.error({ error, operation: operation.id, subject: operation.subject }, `${operation.kind} failed`),
  );
  await operations.restore();

  using starting = deadline('start', 30_000);
  const self = await findSelf(engine, starting);
  const checks = new Checks(engine);
  const toolbox: Toolbox = instrument(
    'toolbox',
    new ResidentToolbox(
      engine,
      {
        image: options.toolboxImage,
        engineSocket: options.engineSocket,
        ...(options.toolboxName === undefined ? {} : { name: options.toolboxName }),
      },
      owner,
    ),
  );
  const context: Context = {
    engine,
    toolbox,
    watchdog: new Watchdog(toolbox, log),
    toolboxImage: options.toolboxImage,
    quiet: new Quiet(),
    owner,
    version: options.version,
    clock: systemClock,
    rng: systemRng,
    log,
    ledger,
    events,
    operations,
    store: new FaultStore(ledger, events),
    captures,
    checks,
    deaths: new DeathsTold(systemClock),
    reset: {
      engine,
      owner,
      owners: { self: owner, dead: (signal) => deadOwners(toolbox, signal) },
      bounded: new BoundedVolumes(toolbox),
      checks,
      pins: new ImagePins(engine),
      subnetPool: options.subnetPool,
      onHost: !self.inContainer || self.hostNetwork,
      self: self.inContainer && !self.hostNetwork ? self.containerId : null,
    },
    metrics,
    kinds,
    env: options.env,
    projectPrefix: options.projectPrefix,
    portOffset: options.portOffset,
    advertiseHost: options.advertiseHost,
  };

  operations.onEnd = ({ kind, state }) => metrics.operations.inc({ kind, state });
  const lifecycle = await Lifecycle.start(context, options, starting);
  return {
    control: controlService(context, lifecycle, () => lifecycle.accepting),
    shuttingDown: () => !lifecycle.accepting,
    close: async (graceMs) => {
      await lifecycle.close(graceMs);
      toolbox.close();
      await ledger.close();
      events.close();
      await lock.release();
    },
  };
}

/** Makes the directory if need be, takes it, and opens what is kept there. */
async function openDataDir(
  dataDir: string,
): Promise<{ lock: DataDirLock; owner: string; ledger: Ledger; events: EventLog; captures: CaptureStore }> {
  await makeDataDir(dataDir);
  const lock = await lockDataDir(dataDir);
  if (lock === null) throw new Error(`Another subjectd uses the data directory ${dataDir}. Stop it, or set SUBJECTD_DATA_DIR to another.`);
  try {
    const owner = await ownerOf(join(dataDir, 'owner'));
    const ledger = await Ledger.open(join(dataDir, 'ledger.ndjson'), systemClock);
    const captures = await CaptureStore.open(join(dataDir, 'captures'));
    return { lock, owner, ledger, captures, events: EventLog.open(join(dataDir, 'events.ndjson'), systemClock) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** No error: the files of the kinds may be changed while the service runs. */
async function warnOfProfiles(kinds: readonly Kind[], { env, log }: ControlOptions): Promise<void> {
  const wanted = (env.COMPOSE_PROFILES ?? '').split(',').map((name) => name.trim());
  if (wanted.every((name) => name === '')) return;
  const known = await knownProfiles(kinds, env);
  const unknown = wanted.filter((name) => name !== '' && name !== '*' && !known.includes(name));
  if (unknown.length === 0) return;
  log.warn({ unknown, known }, `COMPOSE_PROFILES names ${unknown.join(', ')}, which no kind has; known: ${known.join(', ') || 'none'}`);
}

/** Owners that the toolbox has seen and that are gone for good. None when it cannot be asked: then everybody is taken to be alive. */
async function deadOwners(toolbox: Toolbox, signal: AbortSignal): Promise<string[]> {
  try {
    const { owners } = await toolbox.call('owners', {}, signal);
    return owners.filter((o) => !o.live).map((o) => o.owner);
  } catch (error) {
    if (error instanceof ToolboxError || (error instanceof EngineError && error.reason !== 'unreachable')) return [];
    throw error;
  }
}
