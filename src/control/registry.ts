import { resolveProject } from '../compose/resolve.ts';
import { poll } from '../health/poll.ts';
import { Poller } from '../health/poller.ts';
import { type HealthReport, unknownReport } from '../health/report.ts';
import type { Kind } from '../kind/loader.ts';
import { nodeNames, type Subject } from '../kind/subject.ts';
import { Reach } from '../kind/toolkit.ts';
import { rfc3339 } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { atOnce, Turns } from '../lib/turns.ts';
import type { Context } from './context.ts';
import { Host, type SubjectRecord } from './host.ts';
import { toProblem } from './to_problem.ts';

/** Copies live this far apart, so that their ports collide neither with one another nor with another kind's. */
const portStep = 100;
/** How long a question of a background poll that is not answered holds up the next one. */
const pollTurnMs = 20;

/** The live copies: the default one of each kind, and those that were made. */
export class Registry {
  #context: Context;
  #healthIntervalMs: number;
  #hosts = new Map<string, Host>();
  /** Subjects whose compose file could not be used at the last try. */
  #broken = new Map<string, { record: SubjectRecord; problem: Problem }>();

  #onFree: (host: Host) => void;
  /** Names and ports are given out one at a time. */
  #making: Promise<unknown> = Promise.resolve();

  /** `onFree` is called whenever an operation has let go of a subject. */
  constructor(context: Context, healthIntervalMs: number, onFree: (host: Host) => void) {
    this.#context = context;
    this.#healthIntervalMs = healthIntervalMs;
    this.#onFree = onFree;
  }

  /** Makes the default subjects and those the ledger knows. One whose compose file cannot be used is told in the log, and tried again by `mend`. */
  async load(): Promise<void> {
    const records = this.#context.ledger.all<SubjectRecord>('subject').map((e) => e.value);
    const defaults = this.#context.kinds.map((k) => records.find((r) => r.name === k.name) ?? defaultRecord(k));
    for (const record of [...defaults, ...records.filter((r) => !defaults.includes(r))]) {
      await this.#try(record);
    }
  }

  /** Tries again what could not be used: somebody may have corrected the file. Answers what can be used now. */
  mend(): Promise<Host[]> {
    if (this.#broken.size === 0) return Promise.resolve([]);
    return this.#oneByOne(async () => {
      const mended: Host[] = [];
      for (const { record } of [...this.#broken.values()]) mended.push(...(await this.#try(record)));
      return mended;
    });
  }

  all(): Host[] {
    return [...this.#hosts.values()];
  }

  find(name: string): Host | null {
    return this.#hosts.get(name) ?? null;
  }

  /** Throws `subject_not_found`, or what is wrong with its compose file. */
  require(name: string): Host {
    const host = this.#hosts.get(name);
    if (host !== undefined) return host;
    const broken = this.#broken.get(name);
    throw broken?.problem ?? notFound(name, this.all());
  }

  /** Another copy of a kind, on the first free place of ports. Durable when it resolves. */
  create(kindName: string, name: string | undefined): Promise<Host> {
    return this.#oneByOne(() => this.#create(this.kind(kindName), name));
  }

  async #create(kind: Kind, name: string | undefined): Promise<Host> {
    const broken = [...this.#broken.values()].map((b) => b.record);
    const taken = (n: string) => this.#hosts.has(n) || this.#broken.has(n);
    const places = new Set(
      [...this.all().map((h) => h.subject.portShift), ...broken.map((r) => r.portShift)].map((shift) => shift / portStep),
    );
    let place = 1;
    while (places.has(place)) place++;
    const chosen = name ?? firstFree(kind.name, taken);
    if (taken(chosen) || this.#context.kinds.some((k) => k.name === chosen)) {
      throw new Problem('subject_exists', `There is a subject ${chosen}.`, { subject: chosen });
    }
    const record: SubjectRecord = { name: chosen, kind: kind.name, portShift: place * portStep, generation: 0, phase: 'absent' };
    const host = await this.#make(record, kind);
    await this.#context.ledger.put('subject', chosen, record);
    this.#adopt(host);
    return host;
  }

  /** Takes a copy off the list; the default one stays. */
  async drop(host: Host): Promise<void> {
    if (host.isDefault) return;
    await this.#context.ledger.forget('subject', host.subject.name);
    this.#hosts.delete(host.subject.name);
    await Promise.all([host.poller.stop(), host.reach.close()]);
  }

  /** Throws `kind_not_found`. */
  kind(name: string): Kind {
    const kind = this.#context.kinds.find((k) => k.name === name);
    if (kind === undefined)
      throw new Problem(
        'kind_not_found',
        `There is no kind ${name.slice(0, 64)}. There are: ${this.#context.kinds.map((k) => k.name).join(', ')}.`,
      );
    return kind;
  }

  async close(): Promise<void> {
    await Promise.all(this.all().flatMap((h) => [h.poller.stop(), h.reach.close()]));
  }

  #oneByOne<T>(make: () => Promise<T>): Promise<T> {
    const made = this.#making.then(make);
    this.#making = made.catch(() => {});
    return made;
  }

  async #try(record: SubjectRecord): Promise<Host[]> {
    try {
      const host = await this.#make(record, this.kind(record.kind));
      this.#adopt(host);
      this.#broken.delete(record.name);
      return [host];
    } catch (error) {
      const problem = toProblem(error);
      if (this.#broken.get(record.name)?.problem.message !== problem.message) {
        this.#context.log.warn({ subject: record.name, problem: problem.toBody() }, 'the subject cannot be used');
      }
      this.#broken.set(record.name, { record, problem });
      return [];
    }
  }

  #adopt(host: Host): void {
    this.#hosts.set(host.subject.name, host);
    host.poller.start();
  }

  async #make(record: SubjectRecord, kind: Kind): Promise<Host> {
    const context = this.#context;
    const subject: Subject = {
      name: record.name,
      kind,
      portShift: record.portShift,
      project: await resolveFor(context, kind, record.name, record.portShift),
    };
    const nodes = nodeNames(subject).map((name) => ({ name, type: kind.adapter.nodeTypes[name] ?? '' }));
    const at = () => rfc3339(context.clock.now());
    const holder: { host: Host | null } = { host: null };
    const turns = new Turns(1, pollTurnMs);
    const poller = new Poller({
      poll: async (signal, hurry) => {
        const observe = context.metrics.poll.startTimer({ kind: kind.name });
        try {
          const reach = holder.host?.reach ?? new Reach(context.engine, context.clock);
          return suspected(context, await poll(context, subject, reach, hurry ? atOnce : turns.turn, signal));
        } finally {
          observe();
        }
      },
      onError: (error) => unknownReport(subject.name, nodes, 'unknown', `Health cannot be asked: ${toProblem(error).message}`, at()),
      onChange: (now, before) => this.#changed(now, before),
      initial: unknownReport(subject.name, nodes, 'unknown', 'Not polled yet.', null),
      pace: { idleMs: this.#healthIntervalMs, waitingMs: 100 },
      quiet: context.quiet,
    });
    const isDefault = record.name === kind.name;
    holder.host = new Host({
      subject,
      poller,
      reach: new Reach(context.engine, context.clock),
      record,
      isDefault,
      operations: context.operations,
      onFree: () => {
        if (holder.host !== null) this.#onFree(holder.host);
      },
    });
    return holder.host;
  }

  #changed(now: HealthReport, before: HealthReport): void {
    this.#context.metrics.healthy.set({ subject: now.subject }, now.healthy ? 1 : 0);
    const health = (report: HealthReport) => Object.fromEntries(report.nodes.map((n) => [n.name, n.health]));
    this.#context.events.emit('health.changed', now.subject, {
      healthy: now.healthy,
      nodes: health(now),
      was: { healthy: before.healthy, nodes: health(before) },
      issues: now.issues,
    });
  }
}

/** Checks that run in a node whose CPU or memory is taken away say less than they seem to. */
const throttling = new Set(['cpu_pressure', 'memory_pressure']);

function suspected(context: Context, report: HealthReport): HealthReport {
  const faults = context.store.live(report.subject).filter((r) => throttling.has(r.fault.chaos_type));
  if (faults.length === 0) return report;
  const suspect = faults.flatMap(({ fault }) =>
    fault.targets.map((t) => `${t.node}: its health is asked under ${fault.chaos_type} ${fault.id}`),
  );
  return { ...report, details: { ...report.details, suspect } };
}

/** The compose file as it is now, for a subject of this name. Throws `compose_invalid`. */
export function resolveFor(context: Context, kind: Kind, name: string, portShift: number): ReturnType<typeof resolveProject> {
  return resolveProject({
    file: kind.composeFile,
    projectName: `${context.projectPrefix}${name}`,
    env: context.env,
    portOffset: context.portOffset + portShift,
  });
}

function defaultRecord(kind: Kind): SubjectRecord {
  return { name: kind.name, kind: kind.name, portShift: 0, generation: 0, phase: 'absent' };
}

function firstFree(kind: string, taken: (name: string) => boolean): string {
  let n = 1;
  while (taken(`${kind}-${n}`)) n++;
  return `${kind}-${n}`;
}

function notFound(name: string, hosts: readonly Host[]): Problem {
  return new Problem(
    'subject_not_found',
    `There is no subject ${name.slice(0, 64)}. There are: ${hosts.map((h) => h.subject.name).join(', ')}.`,
  );
}
