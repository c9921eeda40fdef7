import type { ChaosType } from '../faults/chaos_type.ts';
import { type EndedBy, type Fault, type FaultRecord, isLive } from '../faults/fault.ts';
import { heal } from '../faults/heal.ts';
import { type Injection, inject } from '../faults/inject.ts';
import { checkParams } from '../faults/params.ts';
import { chaosType } from '../faults/registry.ts';
import { checkTarget, chooseTargets } from '../faults/target.ts';
import type { HealthReport } from '../health/report.ts';
import { observe, toNodes } from '../kind/observe.ts';
import { nodeNames } from '../kind/subject.ts';
import { rfc3339 } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import { DeadlineError, deadline } from '../lib/until.ts';
import type { FaultPlanView, FaultRequest, Running } from './api.ts';
import type { Context } from './context.ts';
import type { Expiry } from './expiry.ts';
import type { Host } from './host.ts';
import { joinNetworks } from './membership.ts';

const defaultTtlMs = 600_000;
const injectMs = 30_000;
/** Time a node gets after the undo to be proven healthy, and while other faults are live: they may be the reason that it cannot be. */
const recoverMs = 60_000;
const recoverAmongFaultsMs = 10_000;

interface Checked {
  type: ChaosType;
  params: Record<string, unknown>;
}

/** What is wrong with the request itself, before anything is looked at. */
function check(host: Host, request: FaultRequest): Checked {
  const type = chaosType(request.chaos_type);
  const params = checkParams(type, request.params ?? {});
  if (request.target !== undefined) checkTarget(host.subject.kind.adapter, nodeNames(host.subject), request.target);
  return { type, params };
}

async function prepare(
  context: Context,
  host: Host,
  request: FaultRequest,
  { type, params }: Checked,
  signal: AbortSignal,
): Promise<Injection> {
  const { adapter } = host.subject.kind;
  const observed = await observe(context.engine, context.owner, host.subject, signal);
  const nodes = toNodes(host.subject, observed);
  if (nodes.every((n) => n.containerId === '')) throw new Problem('subject_not_running', `${host.subject.name} is not there.`);
  const available = await type.available(context, signal);
  if (!available.available)
    throw new Problem('chaos_unavailable', `${type.name} cannot be had here: ${available.detail}`, { reason: available.reason });
  const seed = request.seed ?? context.rng.seed();
  const roles = () => adapter.roles(host.reach.toolkit(host.subject.name, nodes, context.env), signal);
  const choice = await chooseTargets({ type, request: request.target ?? adapter.defaultTarget, nodes, seed, busy: new Set() }, roles);
  return {
    subject: host.subject.name,
    generation: host.generation,
    type,
    mechanism: available.mechanism,
    choice,
    params,
    seed,
    ttlMs: request.ttl_ms ?? defaultTtlMs,
    requireEffect: request.require_effect ?? true,
  };
}

/** Targets, plan and undo of an injection, without doing it. */
export async function planUse(context: Context, host: Host, request: FaultRequest, signal: AbortSignal): Promise<FaultPlanView> {
  using limited = deadline('plan', injectMs, signal);
  const injection = await prepare(context, host, request, check(host, request), limited);
  const plan = injection.type.plan(injection.choice.targets, injection.params);
  return {
    dry_run: true,
    subject: injection.subject,
    chaos_type: injection.type.name,
    seed: injection.seed,
    targets: injection.choice.targets,
    selection: injection.choice.selection,
    params: injection.params,
    mechanism: injection.mechanism,
    plan: plan.act.map((s) => ({ ...s })),
    undo: plan.undo.map((s) => ({ ...s })),
    ttl_ms: injection.ttlMs,
  };
}

/** Injects a fault and witnesses its effect. */
export function injectUse(context: Context, host: Host, expiry: Expiry, request: FaultRequest): Running {
  const checked = check(host, request);
  const began = context.clock.mono();
  return host.exclusive('inject', async (work): Promise<Fault> => {
    using limited = deadline('injection', injectMs, work.signal);
    const injection = await prepare(context, host, request, checked, limited);
    work.phase(`inject ${injection.type.name}`);
    const undo = (record: FaultRecord) => {
      // The caller's cancel must not cut the undo off.
      const own = deadline('undo', recoverMs + 30_000);
      return heal(record, 'api', healContext(context, host), own).finally(() => own[Symbol.dispose]());
    };
    try {
      const fault = await inject(injection, { probe: context, store: context.store, undo }, limited);
      context.metrics.witnessed.observe(
        { chaos_type: fault.chaos_type, verdict: fault.effect?.verdict ?? 'unknown' },
        (context.clock.mono() - began) / 1000,
      );
      expiry.watch(fault);
      return fault;
    } finally {
      host.poller.poke();
    }
  });
}

/** Heals one fault. A fault that has ended is answered as it is, even while the subject is busy. */
export function healUse(context: Context, host: Host, id: string): Running {
  const { fault } = find(context, host, id);
  if (!isLive(fault.state)) return context.operations.begin('heal', host.subject.name, async () => fault);
  return host.exclusive('heal', async (work) => {
    const fault = await healOne(context, host, id, 'api', work.signal);
    work.signal.throwIfAborted();
    if (!isLive(fault.state)) await healUnknown(context, host, work.signal);
    return fault;
  });
}

/** Tries again what could not be proven: another fault that has ended since may have been the reason. */
export async function healUnknown(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  const unknown = context.store.live(host.subject.name).filter((r) => r.fault.heal?.verdict === 'unknown');
  await Promise.all(unknown.map((r) => healOne(context, host, r.fault.id, r.fault.ended_by ?? 'recovery', signal)));
}

/** Heals all live faults of a subject, after cancelling whatever holds it. */
export function healAllUse(context: Context, host: Host, endedBy: EndedBy): Running {
  return host.preempting('heal_all', async (work) => {
    const healed = await healLive(context, host, endedBy, work.signal);
    work.signal.throwIfAborted();
    return healed;
  });
}

/** Heals all live faults. At once: one node's recovery may need another's. */
export async function healLive(context: Context, host: Host, endedBy: EndedBy, signal: AbortSignal): Promise<{ faults: Fault[] }> {
  const live = context.store.live(host.subject.name);
  return { faults: await Promise.all(live.map(({ fault }) => healOne(context, host, fault.id, endedBy, signal))) };
}

/** Heals one fault under the subject's lock; answers an ended one as it is. */
export async function healOne(context: Context, host: Host, id: string, endedBy: EndedBy, signal: AbortSignal): Promise<Fault> {
  const record = find(context, host, id);
  if (!isLive(record.fault.state)) return record.fault;
  const time = context.metrics.healed.startTimer({ chaos_type: record.fault.chaos_type });
  try {
    using limited = deadline('heal', recoverMs + 30_000, signal);
    const fault = await heal(record, endedBy, healContext(context, host), limited);
    time({ verdict: fault.heal?.verdict ?? 'unknown' });
    return fault;
  } finally {
    host.poller.poke();
  }
}

/** Gives a live fault a new time to live, from now. */
export async function renewUse(context: Context, host: Host, expiry: Expiry, id: string, ttlMs: number): Promise<Fault> {
  const record = find(context, host, id);
  if (record.fault.state !== 'active') throw new Problem('fault_ended', `Fault ${id} is ${record.fault.state}.`, { fault: record.fault });
  record.fault.expires_at = rfc3339(context.clock.now() + ttlMs);
  await context.store.save(record);
  expiry.watch(record.fault);
  context.events.emit('fault.renewed', host.subject.name, { fault_id: id, expires_at: record.fault.expires_at });
  return record.fault;
}

export function find(context: Context, host: Host, id: string): FaultRecord {
  const record = context.store.get(id);
  if (record === null || record.fault.subject !== host.subject.name)
    throw new Problem('fault_not_found', `${host.subject.name} has no fault ${id.slice(0, 64)}.`);
  return record;
}

function healContext(context: Context, host: Host): Parameters<typeof heal>[2] {
  return { probe: context, store: context.store, recovered: (nodes, signal) => recovered(context, host, nodes, signal) };
}

/** The nodes' own proof of health, by the subject's poller: its container, its check, its adapter. Throws when it cannot be known. */
async function recovered(
  context: Context,
  host: Host,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<{ node: string; what: string }[]> {
  await joinNetworks(context, host, signal);
  const others = context.store.live(host.subject.name).filter((r) => r.fault.state === 'active');
  const timeoutMs = others.length > 0 ? recoverAmongFaultsMs : recoverMs;
  const isUp = (report: HealthReport, name: string) => report.nodes.find((n) => n.name === name)?.health === 'up';
  const report = await host.poller.wait((r) => nodes.every((name) => isUp(r, name)), timeoutMs, signal);
  const ill = nodes.filter((name) => !isUp(report, name));
  if (ill.length === 0) return [];
  using limited = deadline('engine', 5000, signal);
  try {
    await context.engine.ping(limited);
  } catch (error) {
    if (error instanceof DeadlineError) throw new Error('the engine does not answer', { cause: error });
    throw error;
  }
  const why = `${ill.join(', ')} not healthy within ${timeoutMs} ms: ${report.issues.join('; ')}`;
  if (others.length > 0)
    throw new Error(
      `${why}; other faults are active (${others.map((r) => r.fault.id).join(', ')}), it is looked at again when one of them ends`,
    );
  return ill.map((node) => ({ node, what: why }));
}
