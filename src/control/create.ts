import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Engine } from '../engine/port.ts';
import { findSelf } from '../engine/self.ts';
import { EventLog } from '../events/log.ts';
import { FaultStore } from '../faults/store.ts';
import { Checks } from '../kind/check.ts';
import { type KindFolder, loadKinds } from '../kind/loader.ts';
import { Ledger } from '../ledger/ledger.ts';
import { lockDataDir } from '../ledger/lock.ts';
import { ownerOf } from '../ledger/owner.ts';
import { systemClock } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { systemRng } from '../lib/rng.ts';
import { deadline, manyListeners } from '../lib/until.ts';
import { ImagePins } from '../reset/images.ts';
import type { Range } from '../reset/subnet.ts';
import type { Control } from './api.ts';
import type { Context } from './context.ts';
import { EngineWatch } from './engine_watch.ts';
import { Expiry } from './expiry.ts';
import { healLive, healOne, healUnknown } from './fault_use.ts';
import type { Host } from './host.ts';
import { keepMembership } from './membership.ts';
import { Metrics } from './metrics.ts';
import { Operations } from './operations.ts';
import { recover } from './recovery.ts';
import { Registry } from './registry.ts';
import { controlService } from './service.ts';

export interface ControlOptions {
  engine: Engine;
  log: Logger;
  dataDir: string;
  kindFolders: readonly KindFolder[];
  /** What the compose files' variables are taken from. */
  env: Readonly<Record<string, string | undefined>>;
  projectPrefix: string;
  portOffset: number;
  subnetPool: Range;
  healthIntervalMs: number;
  advertiseHost: string | null;
}

/** The service without its HTTP surface. */
export interface ControlHandle {
  control: Control;
  shuttingDown: () => boolean;
  /** Stops what runs, heals what is live within `graceMs`, and closes. */
  close(graceMs: number): Promise<void>;
}

/** Undo steps are done before the service serves; the proof of recovery may go on beyond this. */
const recoverBeforeServingMs = 20_000;

/** A compose file that was corrected is seen within this time. */
const mendEveryMs = 2000;

/**
 * Puts the service together: takes the data directory, opens the ledger, loads the kinds, recovers from whatever the last run left, then answers. Throws an
 * Error with one sentence when it cannot: a data directory in use, a kind that cannot be loaded, an engine that does not answer.
 */
export async function createControl(options: ControlOptions): Promise<ControlHandle> {
  const { engine, log, dataDir } = options;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockDataDir(dataDir);
  if (lock === null) throw new Error(`Another subjectd uses the data directory ${dataDir}. Stop it, or set SUBJECTD_DATA_DIR to another.`);
  const owner = await ownerOf(join(dataDir, 'owner'));
  const ledger = await Ledger.open(join(dataDir, 'ledger.ndjson'), systemClock);
  const events = EventLog.open(join(dataDir, 'events.ndjson'), systemClock);
  events.onWriteError = (error) => log.error({ error }, 'the event file cannot be written');
  if (ledger.damage.tornBytes > 0) log.warn(ledger.damage, 'the ledger ended in a torn record, which was cut off');
  if (ledger.damage.damagedLines.length > 0)
    log.error(ledger.damage, 'the ledger has damaged lines: faults recorded there cannot be undone from it');
  const metrics = new Metrics();
  const operations = new Operations(ledger, systemClock, (error, operation) =>
    log.error({ error, operation: operation.id }, `${operation.kind} failed`),
  );
  await operations.restore();

  using starting = deadline('start', 30_000);
  const self = await findSelf(engine, starting);
  const checks = new Checks(engine);
  const context: Context = {
    engine,
    owner,
    clock: systemClock,
    rng: systemRng,
    log,
    ledger,
    events,
    operations,
    store: new FaultStore(ledger, events),
    checks,
    reset: {
      engine,
      owner,
      checks,
      pins: new ImagePins(engine),
      subnetPool: options.subnetPool,
      onHost: !self.inContainer || self.hostNetwork,
      self: self.inContainer && !self.hostNetwork ? self.containerId : null,
    },
    metrics,
    kinds: await loadKinds(options.kindFolders),
    env: options.env,
    projectPrefix: options.projectPrefix,
    portOffset: options.portOffset,
    advertiseHost: options.advertiseHost,
  };

  const registry = new Registry(context, options.healthIntervalMs);
  await registry.load();
  await pinImages(context, registry, starting);

  const closing = manyListeners(new AbortController());
  const background = (what: string, work: Promise<unknown>) => void work.catch((error: unknown) => log.error({ error }, what));
  const expiry = new Expiry(context.store, events, systemClock, (fault) => {
    const host = registry.find(fault.subject);
    if (host === null) return;
    events.emit('fault.expired', fault.subject, { fault_id: fault.id });
    background('a fault could not be ended at its time', endAtItsTime(context, host, fault.id, closing.signal));
  });
  const watch = new EngineWatch(engine, owner, {
    event: (subject, event) => {
      const host = registry.find(subject);
      if (host === null) return;
      host.poller.poke();
      if (/^(start|die|destroy)/.test(event.action)) background('network membership', keepMembership(context, host));
    },
    down: (why) => {
      metrics.engineUp.set(0);
      log.warn({ why }, 'the engine went away');
      events.emit('engine.lost', null, { why });
      for (const host of registry.all()) host.poller.poke();
    },
    up: () => {
      metrics.engineUp.set(1);
      log.info('the engine is back');
      events.emit('engine.back', null, {});
      background('recovery after the engine came back', afterEngine(context, registry, closing.signal));
    },
  });
  metrics.engineUp.set(1);
  watch.start();

  const recovering = recover(context, registry.all(), closing.signal).then(() =>
    Promise.all(registry.all().map((h) => keepMembership(context, h))),
  );
  background('recovery at the start', recovering);
  await settledWithin(recovering, recoverBeforeServingMs);
  events.emit('service.started', null, {});

  const mending = setInterval(
    () =>
      background(
        'broken kinds',
        registry.mend().then((hosts) => recover(context, hosts, closing.signal)),
      ),
    mendEveryMs,
  );

  let accepting = true;
  return {
    control: controlService(context, registry, expiry, () => accepting),
    shuttingDown: () => !accepting,
    close: async (graceMs) => {
      accepting = false;
      using limited = deadline('shut-down', graceMs);
      events.emit('service.stopping', null, {});
      closing.abort(new Problem('shutting_down', 'The service is shutting down.'));
      clearInterval(mending);
      expiry.stop();
      await operations.stop(new Problem('shutting_down', 'The service is shutting down.'));
      for (const result of await Promise.allSettled(registry.all().map((h) => healLive(context, h, 'recovery', limited)))) {
        if (result.status === 'rejected')
          log.error({ error: result.reason }, 'faults could not be healed before the stop; the next start heals them');
      }
      await Promise.all([watch.stop(), registry.close()]);
      await ledger.close();
      events.close();
      await lock.release();
    },
  };
}

function endAtItsTime(context: Context, host: Host, id: string, signal: AbortSignal): Promise<void> {
  return host.queued(
    'heal',
    async (work) => {
      const fault = await healOne(context, host, id, 'ttl', work.signal);
      await healUnknown(context, host, work.signal);
      return fault;
    },
    signal,
  );
}

/** Remembers what each image reference means now. */
async function pinImages(context: Context, registry: Registry, signal: AbortSignal): Promise<void> {
  const references = new Set(registry.all().flatMap((h) => h.subject.project.services.map((s) => s.image)));
  await Promise.all([...references].map((r) => context.reset.pins.look(r, signal)));
}

/** Heals what could not be looked at while the engine was away. Faults that are active stay so. */
async function afterEngine(context: Context, registry: Registry, signal: AbortSignal): Promise<void> {
  await Promise.all(
    registry.all().map(async (host) => {
      host.poller.poke();
      const unknown = context.store.live(host.subject.name).filter((r) => r.fault.state !== 'active' && r.fault.heal?.verdict !== 'dirty');
      if (unknown.length === 0) return;
      await host.queued(
        'recover',
        (work) => Promise.all(unknown.map((r) => healOne(context, host, r.fault.id, 'recovery', work.signal))),
        signal,
      );
    }),
  );
}

async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  using limited = deadline('recovery', ms);
  await Promise.race([
    work.then(
      () => {},
      () => {},
    ),
    new Promise<void>((resolve) => limited.addEventListener('abort', () => resolve(), { once: true })),
  ]);
}
