import { isDeepStrictEqual } from 'node:util';
import type { ChaosType, Plan } from '../faults/chaos_type.ts';
import { type Effect, type Fault, type FaultRecord, startsOf } from '../faults/fault.ts';
import { changedPlan, reapply } from '../faults/reapply.ts';
import { knownType } from '../faults/registry.ts';
import { undoStep } from '../faults/run_step.ts';
import type { Scene } from '../faults/scene.ts';
import { rfc3339 } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { deadline } from '../lib/until.ts';
import type { Context } from './context.ts';
import type { Expiry } from './expiry.ts';
import { healOne } from './fault_use.ts';
import type { Host } from './host.ts';
import { uncover } from './uncover.ts';

const reapplyMs = 30_000;
const lookMs = 10_000;
/** How long after a fault could not be put back it is tried again; doubled each time up to the longest. */
const againMs = 5000;
const longestMs = 60_000;

/** A fault that is to be put back and is not known to be: made anew at each restart of a target. */
interface Due {
  /** A target restarted; else it is rules that name another node's old address. */
  restarted: boolean;
  /** It was tried: parts of it may be there. */
  tried: boolean;
  waitMs: number;
  timer: NodeJS.Timeout | null;
}

interface Now {
  scene: Scene;
  /** What is to be done at the targets that run. */
  plan: Plan;
  up: Fault['targets'];
}

/**
 * Puts active faults back whose targets restarted, or whose rules name the address that another node had before. What cannot be done yet (the peer that it names does not run), fails, or shows no effect is tried again, when any node starts and after
 * a while, until it holds or the fault ends. It holds when the witness saw it (`confirmed`), or cannot see it in its time (`inconclusive`: a loss of 1 % never looks otherwise), or when the injection was kept without an effect too; only then
 * the time in which it was not in force is over. After `not_observed` that goes on, with this verdict.
 */
export class Reapplying {
  #context: Context;
  #expiry: Pick<Expiry, 'remainingMs'>;
  #scene: (host: Host, signal: AbortSignal) => Promise<Scene>;
  #closing: AbortSignal;
  #againMs: number;
  #due = new Map<string, Due>();

  constructor(
    context: Context,
    expiry: Pick<Expiry, 'remainingMs'>,
    scene: (host: Host, signal: AbortSignal) => Promise<Scene>,
    closing: AbortSignal,
    firstMs = againMs,
  ) {
    this.#context = context;
    this.#expiry = expiry;
    this.#scene = scene;
    this.#closing = closing;
    this.#againMs = firstMs;
  }

  /** A container of the subject has started. */
  async started(host: Host, fault: string, container: string): Promise<void> {
    const found = this.#active(host, fault);
    if (found === null) return;
    if (found.record.fault.targets.some((t) => t.container_id === container)) this.#owe(fault, true);
    else if (!(await this.#isPossible(host, fault))) return;
    try {
      await this.#queue(host, fault);
    } finally {
      this.#later(host, fault);
    }
  }

  #active(host: Host, fault: string): { record: FaultRecord; type: ChaosType } | null {
    const record = this.#context.store.get(fault);
    const type = knownType(host.subject.kind.adapter, record?.fault.chaos_type);
    return record === null || type === null || record.fault.state !== 'active' ? null : { record, type };
  }

  #owe(fault: string, restarted: boolean): Due {
    const tried = restarted && this.#due.get(fault)?.tried === true;
    this.#settle(fault);
    const due = { restarted, tried, waitMs: this.#againMs, timer: null };
    this.#due.set(fault, due);
    return due;
  }

  #settle(fault: string): void {
    clearTimeout(this.#due.get(fault)?.timer ?? undefined);
    this.#due.delete(fault);
  }

  /** Looked at without holding the subject: another node's start as a rule changes nothing. */
  async #isPossible(host: Host, fault: string): Promise<boolean> {
    using limited = deadline('look at the addresses', lookMs, this.#closing);
    return (await this.#now(host, fault, limited)) !== null;
  }

  /** Null: there is nothing to do, or nothing can be done yet. */
  async #now(host: Host, fault: string, signal: AbortSignal): Promise<Now | null> {
    const found = this.#active(host, fault);
    if (found === null) return null;
    const { record, type } = found;
    const due = this.#due.has(fault);
    // Only what names addresses changes when another node starts.
    if (!due && !record.act.some(namesAddresses)) return null;
    const scene = await this.#scene(host, signal);
    const up = record.fault.targets.filter((t) => scene.nodes.find((n) => n.name === t.node)?.running === true);
    if (up.length === 0) return null;
    const there = { ...record, fault: { ...record.fault, targets: up } };
    try {
      const plan = due
        ? await type.plan(scene, { fault, targets: up, params: record.fault.params }, signal)
        : await changedPlan(type, scene, there, signal);
      if (plan === null) return null;
      const act = plan.act.filter((s) => up.some((t) => t.node === s.node));
      return !due && isDeepStrictEqual(act, record.act) ? null : { scene, plan: { ...plan, act }, up };
    } catch (error) {
      // It names a node that does not run yet; its start comes here too.
      if (error instanceof Problem && error.code === 'no_candidate') return null;
      throw error;
    }
  }

  #queue(host: Host, fault: string): Promise<void> {
    return host.queued('reapply', (work) => this.#putBack(host, fault, work.signal), this.#closing);
  }

  #later(host: Host, fault: string): void {
    const due = this.#due.get(fault);
    if (due === undefined) return;
    if (this.#closing.aborted || this.#active(host, fault) === null) {
      this.#settle(fault);
      return;
    }
    clearTimeout(due.timer ?? undefined);
    due.timer = setTimeout(() => {
      this.#again(host, fault).catch((error: unknown) => {
        if (!this.#closing.aborted) this.#context.log.warn({ error, fault }, 'a fault could not be put back yet');
      });
    }, due.waitMs).unref();
    due.waitMs = Math.min(longestMs, 2 * due.waitMs);
  }

  async #again(host: Host, fault: string): Promise<void> {
    try {
      if (await this.#isPossible(host, fault)) await this.#queue(host, fault);
    } finally {
      this.#later(host, fault);
    }
  }

  async #putBack(host: Host, fault: string, signal: AbortSignal): Promise<Fault | null> {
    const context = this.#context;
    using limited = deadline('putting a fault back', reapplyMs, signal);
    const found = this.#active(host, fault);
    if (found === null) return null;
    if (this.#due.get(fault)?.restarted && found.record.fault.on_target_restart === 'once')
      return healOne(context, host, fault, 'outside', limited);
    let now = await this.#now(host, fault, limited);
    if (now === null) return null;
    // A failure half-way has stored the new plan already: that it is the same then says nothing.
    const due = this.#due.get(fault) ?? this.#owe(fault, false);
    if (await this.#takeAway(host, fault, due, now, limited)) now = await this.#now(host, fault, limited);
    const record = this.#active(host, fault)?.record;
    if (now === null || record === undefined) return null;
    due.tried = true;
    const began = context.clock.mono();
    const { scene, plan, up } = now;
    const parts = { type: only(found.type, up), scene, store: context.store, watchdog: context.watchdog };
    const verdict = await reapply(record, plan, { ...parts, leftMs: this.#expiry.remainingMs(record.fault) }, limited);
    // Where no target restarted the rules were in force all the time, and are in the baseline.
    const holds = verdict !== 'not_observed' || record.fault.effect?.verdict === 'not_observed' || !due.restarted;
    const isSame = this.#due.get(fault) === due;
    const lasted = up.filter((t) => isSame && (context.deaths.of(t.container_id)?.toldAt ?? Number.NEGATIVE_INFINITY) < began);
    // By the look from which it was planned. Until it holds, and where nobody has told of a restart, the starts before go on telling of one.
    const starts = holds && due.restarted ? startsOf(scene.nodes, lasted) : {};
    await note(context, record, { verdict, holds, nodes: lasted.map((t) => t.node), starts });
    if (holds && isSame) this.#settle(fault);
    context.events.emit('fault.reapplied', host.subject.name, { fault_id: fault, verdict });
    return context.store.get(fault)?.fault ?? null;
  }

  /**
   * After a restart: what is there of it, from a try before or at a target that did not restart, would be in the baseline, and in what is restored at the end: it is taken away first, which is told. Answers whether there was any.
   */
  async #takeAway(host: Host, fault: string, due: Due, { up }: Now, signal: AbortSignal): Promise<boolean> {
    const record = this.#active(host, fault)?.record;
    if (record === undefined) return false;
    const covered = up.filter((t) => !record.fault.uncovered.some((u) => u.node === t.node && u.until === null));
    if (!due.restarted || (!due.tried && covered.length === 0)) return false;
    const { clock } = this.#context;
    for (const { node } of covered) await uncover(this.#context, host, fault, node, clock.now());
    for (const step of record.undo.toReversed()) await undoStep(this.#context, step, signal);
    return true;
  }
}

function namesAddresses(step: FaultRecord['act'][number]): boolean {
  return step.op === 'net.drop' || ((step.op === 'net.delay' || step.op === 'net.loss') && step.peers !== null);
}

/** Measures at these targets only: the others do not run. */
function only(type: ChaosType, targets: Fault['targets']): ChaosType {
  return { ...type, baseline: (scene, injected, plan, signal) => type.baseline(scene, { ...injected, targets }, plan, signal) };
}

function note(
  context: Context,
  { fault }: FaultRecord,
  { verdict, holds, nodes, starts }: { verdict: Effect['verdict']; holds: boolean; nodes: string[]; starts: Record<string, number> },
): Promise<unknown> {
  const { guarded, mechanism, metadata } = fault;
  const now = context.clock.now();
  return context.store.patch(fault.id, (record) => {
    Object.assign(record.fault, { guarded, mechanism, metadata });
    record.startedAt = { ...record.startedAt, ...starts };
    for (const u of record.fault.uncovered.filter((x) => x.until === null && nodes.includes(x.node)))
      Object.assign(u, holds ? { until: rfc3339(now), ms: now - Date.parse(u.from), verdict } : { verdict });
  });
}
