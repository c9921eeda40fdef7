import type { EngineEvent } from '../engine/port.ts';
import { type Fault, isLive } from '../faults/fault.ts';
import { labels } from '../kind/subject.ts';
import { Problem } from '../lib/problem.ts';
import { allEnded, deadline, manyListeners } from '../lib/until.ts';
import type { Context } from './context.ts';
import { EngineWatch } from './engine_watch.ts';
import { Expiry } from './expiry.ts';
import { healLive, healOne, healUnknown } from './fault_use.ts';
import { FaultWatch } from './fault_watch.ts';
import { Guard } from './guard.ts';
import type { Host } from './host.ts';
import { keepMembership, leaveNetworks } from './membership.ts';
import { recover, recoverHomeless, recoverUnknown, rollBackCutOff } from './recovery.ts';
import { Registry } from './registry.ts';
import { Supervision } from './supervision.ts';

/** Undo steps are done before the service serves; the proof of recovery may go on beyond this. */
const recoverBeforeServingMs = 20_000;
/** A compose file that was corrected is seen within this time. */
const mendEveryMs = 2000;
/** How long the service stays off a subject's network after somebody removed one of its containers. */
const rejoinMs = 5000;
const lookMs = 15_000;

/** How often subjects' health is polled and active faults are looked at, in milliseconds. */
export interface Paces {
  healthIntervalMs: number;
  supervisionIntervalMs: number;
}

/** What goes on by itself while the service runs: recovery, the engine's events, ends of faults, kinds that get mended. */
export class Lifecycle {
  readonly registry: Registry;
  readonly expiry: Expiry;
  readonly watch: FaultWatch;
  readonly supervision: Supervision;
  #guard: Guard;
  #context: Context;
  #engineWatch: EngineWatch;
  #closing = manyListeners(new AbortController());
  #mending: NodeJS.Timeout | null = null;
  #accepting = true;

  private constructor(context: Context, { healthIntervalMs, supervisionIntervalMs }: Paces) {
    this.#context = context;
    this.registry = new Registry(context, healthIntervalMs, (host) =>
      this.#background('network membership', keepMembership(context, host)),
    );
    this.expiry = new Expiry(context.store, context.events, context.clock, (fault) =>
      this.#background('the end of a fault', this.#endAtItsTime(fault)),
    );
    this.watch = new FaultWatch(context, this.expiry, this.#closing.signal);
    this.supervision = new Supervision(context, () => this.registry.all(), supervisionIntervalMs, this.#closing.signal);
    this.#guard = new Guard(context, this.expiry, this.#closing.signal, (fault) =>
      this.#background('a fault that the watchdog ended', this.#endedByWatchdog(fault)),
    );
    this.#engineWatch = new EngineWatch(context.engine, context.owner, {
      event: (subject, event) => this.#onContainer(subject, event),
      down: (why) => this.#onEngineDown(why),
      up: () => this.#onEngineUp(),
    });
  }

  /** Loads the subjects, pins their images, recovers what the last run left, and begins to watch. */
  static async start(context: Context, paces: Paces, signal: AbortSignal): Promise<Lifecycle> {
    const lifecycle = new Lifecycle(context, paces);
    await lifecycle.registry.load();
    await lifecycle.#pinImages(signal);
    context.metrics.engineUp.set(1);
    lifecycle.#engineWatch.start();
    const recovering = lifecycle.#recoverAll();
    lifecycle.#background('recovery at the start', recovering);
    await settledWithin(recovering, recoverBeforeServingMs);
    lifecycle.#mending = setInterval(() => lifecycle.#background('mending kinds', lifecycle.#mend()), mendEveryMs);
    lifecycle.#background('the toolbox', lifecycle.#joinToolbox());
    lifecycle.supervision.start();
    context.events.emit('service.started', null, {});
    return lifecycle;
  }

  /** A fault is active: from now on it is watched. */
  afterInjection(host: Host, fault: string): void {
    this.watch.afterInjection(host, fault);
    this.supervision.begin(host, fault);
  }

  /** False from the moment a shut-down began. */
  get accepting(): boolean {
    return this.#accepting;
  }

  /** Stops what runs, heals what is live, rolls back what was cut off, within the grace. What could not be done is left to the next start. */
  async close(graceMs: number): Promise<void> {
    const { context, registry } = { context: this.#context, registry: this.registry };
    this.#accepting = false;
    using limited = deadline('shut-down', graceMs);
    const stopping = new Problem('shutting_down', 'The service is shutting down.');
    context.events.emit('service.stopping', null, {});
    this.#closing.abort(stopping);
    if (this.#mending !== null) clearInterval(this.#mending);
    this.expiry.stop();
    await settledWithin(context.operations.stop(stopping), graceMs / 2);
    for (const result of await Promise.allSettled(registry.all().map((h) => healLive(context, h, 'recovery', limited)))) {
      if (result.status === 'rejected')
        context.log.error({ error: result.reason }, 'faults could not be healed before the stop; the next start heals them');
    }
    for (const result of await Promise.allSettled(registry.all().map((h) => rollBackCutOff(context, h, limited)))) {
      if (result.status === 'rejected')
        context.log.error({ error: result.reason }, 'what the stop cut off could not be rolled back; the next start does');
    }
    await Promise.all([this.#engineWatch.stop(), this.supervision.stopped(), registry.close()]);
  }

  #background(what: string, work: Promise<unknown>): void {
    void work.catch((error: unknown) => this.#context.log.error({ error }, what));
  }

  async #recoverAll(): Promise<void> {
    const { registry } = this;
    try {
      await recover(this.#context, registry.all(), this.#closing.signal);
      await recoverHomeless(this.#context, (subject) => registry.find(subject) !== null, this.#closing.signal);
    } finally {
      this.#watchLiveFaults();
    }
  }

  async #mend(): Promise<void> {
    const mended = await this.registry.mend();
    if (mended.length === 0) return;
    await recover(this.#context, mended, this.#closing.signal);
    this.#watchLiveFaults();
  }

  /** Whatever is still live has an end; what should have ended and could not be is tried again. */
  #watchLiveFaults(): void {
    if (!this.#accepting) return;
    for (const { fault } of this.#context.store.live()) {
      if (this.expiry.isRunning(fault.id)) continue;
      if (fault.state === 'active') this.expiry.watch(fault);
      else this.expiry.tryAgain(fault);
    }
  }

  #onContainer(subject: string, event: EngineEvent): void {
    this.#context.deaths.take(event);
    const { action, attributes } = event;
    const host = this.registry.find(subject);
    if (host === null) return;
    // While a reset burns them; after one that failed, the containers of the generation before may be all there is.
    if (host.phase === 'resetting' && attributes[labels.generation] !== String(host.generation)) return;
    host.poller.poke();
    this.watch.onContainer(host, event);
    if (action === 'destroy' && host.holder === null) {
      // Not by us. Should the rest go on running, the service comes back.
      this.#background('network membership', leaveNetworks(this.#context, host));
      setTimeout(() => this.#background('network membership', keepMembership(this.#context, host)), rejoinMs).unref();
    } else if (/^(start|die)/.test(action)) {
      this.#background('network membership', keepMembership(this.#context, host));
    }
  }

  #onEngineDown(why: string): void {
    this.#context.metrics.engineUp.set(0);
    this.#context.log.warn({ why }, 'the engine went away');
    this.#context.events.emit('engine.lost', null, { why });
    for (const host of this.registry.all()) host.poller.poke();
  }

  #onEngineUp(): void {
    this.#context.metrics.engineUp.set(1);
    this.#context.log.info('the engine is back');
    this.#context.events.emit('engine.back', null, {});
    this.#background('recovery after the engine came back', this.#afterEngineReturn());
  }

  async #afterEngineReturn(): Promise<void> {
    await recoverUnknown(this.#context, this.registry.all(), this.#closing.signal);
    await allEnded(this.registry.all().map((host) => this.watch.afterEngineReturn(host)));
  }

  async #endedByWatchdog(fault: string): Promise<void> {
    const subject = this.#context.store.get(fault)?.fault.subject;
    const host = subject === undefined ? null : this.registry.find(subject);
    await host?.queued('heal', (work) => healOne(this.#context, host, fault, 'watchdog', work.signal), this.#closing.signal);
  }

  /** Joins the toolbox, whose open session is this owner's sign of life, and undoes what dead owners left. The service serves meanwhile: nothing that it answers depends on it. */
  async #joinToolbox(): Promise<void> {
    using limited = deadline('look at the toolbox’s image', lookMs, this.#closing.signal);
    if ((await this.#context.engine.inspectImage(this.#context.toolboxImage, limited)) === null) return;
    try {
      await this.#guard.sweep(this.#closing.signal);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#context.log.warn({ error }, 'the toolbox cannot be had; faults that need it are not available, others are not guarded');
      this.#guard.bringBack();
    }
  }

  async #endAtItsTime(fault: Fault): Promise<void> {
    const context = this.#context;
    const host = this.registry.find(fault.subject);
    if (host === null) {
      // Undone at the start as far as could be; proven when its kind can be loaded again.
      this.expiry.tryAgain(fault);
      return;
    }
    // A failed injection whose end could not be recorded is no fault whose time is over.
    const failed = fault.state === 'planned' || fault.state === 'injecting';
    if (fault.state === 'active') context.events.emit('fault.expired', fault.subject, { fault_id: fault.id });
    await host.queued(
      'heal',
      async (work) => {
        // Renewed while it waited for its turn.
        if (this.expiry.isRunning(fault.id)) return null;
        const healed = await healOne(context, host, fault.id, failed ? 'api' : 'ttl', work.signal);
        if (!isLive(healed.state)) await healUnknown(context, host, work.signal);
        return healed;
      },
      this.#closing.signal,
    );
    const now = context.store.get(fault.id)?.fault;
    if (now !== undefined && isLive(now.state) && !this.expiry.isRunning(fault.id) && this.#accepting) this.expiry.tryAgain(now);
  }

  /** Remembers what each image reference means now. */
  async #pinImages(signal: AbortSignal): Promise<void> {
    const references = new Set(this.registry.all().flatMap((h) => h.subject.project.services.map((s) => s.image)));
    await Promise.all([...references].map((r) => this.#context.reset.pins.look(r, signal)));
  }
}

/** Waits for the end of the work, well or not, at most `ms`. */
async function settledWithin(work: Promise<unknown>, ms: number): Promise<void> {
  const settled = work.then(
    () => {},
    () => {},
  );
  using limited = deadline('work', ms);
  await Promise.race([settled, new Promise<void>((resolve) => limited.addEventListener('abort', () => resolve(), { once: true }))]);
}
