import type { ChaosType } from '../faults/chaos_type.ts';
import { type EndedBy, type Fault, type FaultRecord, isLive } from '../faults/fault.ts';
import { type HealContext, heal } from '../faults/heal.ts';
import { type Injection, inject, newFaultId, planOf } from '../faults/inject.ts';
import { checkParams } from '../faults/params.ts';
import { chaosType, chaosTypesOf, knownType } from '../faults/registry.ts';
import type { Scene } from '../faults/scene.ts';
import { type Busy, checkTarget, chooseTargets, defaultTarget } from '../faults/target.ts';
import { nodeNames } from '../kind/subject.ts';
import { rfc3339 } from '../lib/clock.ts';
import { bodyProblem } from '../lib/input_error.ts';
import { Problem } from '../lib/problem.ts';
import { allEnded, deadline } from '../lib/until.ts';
import type { FaultPlanView, FaultRequest, Running } from './api.ts';
import { availabilities } from './availability.ts';
import type { Context } from './context.ts';
import type { Expiry } from './expiry.ts';
import type { Host } from './host.ts';
import { recovered, recoverMs } from './recovered.ts';
import { sceneOf } from './scene.ts';

const defaultTtlMs = 600_000;
const injectMs = 60_000;

interface Checked {
  type: ChaosType;
  params: Record<string, unknown>;
}

/** What is wrong with the request itself, before anything is looked at. */
function check(host: Host, request: FaultRequest): Checked {
  const { adapter } = host.subject.kind;
  const type = chaosType(adapter, request.chaos_type);
  const params = checkParams(type, request.params ?? {});
  if (request.target !== undefined) checkTarget(adapter, nodeNames(host.subject), request.target);
  return { type, params };
}

async function prepare(
  context: Context,
  host: Host,
  request: FaultRequest,
  { type, params }: Checked,
  signal: AbortSignal,
): Promise<{ injection: Injection; scene: Scene }> {
  const { adapter } = host.subject.kind;
  const scene = await sceneOf(context, host, signal);
  if (scene.nodes.every((n) => n.containerId === '')) throw new Problem('subject_not_running', `${host.subject.name} is not there.`);
  type.check(scene, params);
  const named = type.named(params);
  if (named !== null && request.target !== undefined) throw bodyProblem('target', 'the parameters name the nodes already');
  const [available] = await availabilities([type], scene, signal, params);
  if (available === undefined || !available.available) {
    throw new Problem('chaos_unavailable', `${type.name} cannot be had here: ${available?.detail ?? ''}`, { reason: available?.reason });
  }
  const seed = request.seed ?? context.rng.seed();
  const target = request.target ?? defaultTarget(type, adapter, scene.nodes);
  const choice = await chooseTargets({ type, request: target, named, nodes: scene.nodes, seed, busy: busyNodes(context, host) }, () =>
    adapter.roles(scene.toolkit, signal),
  );
  const injection = {
    id: newFaultId(),
    subject: host.subject.name,
    generation: host.generation,
    type,
    mechanism: available.mechanism,
    choice,
    params,
    seed,
    ttlMs: request.ttl_ms ?? defaultTtlMs,
    requireEffect: request.require_effect ?? true,
    onTargetRestart: request.on_target_restart ?? 'reapply',
  };
  return { injection, scene };
}

/** Live faults by node. */
function busyNodes(context: Context, host: Host): Busy {
  const busy = new Map<string, { fault: Fault; layer: ChaosType['layer'] }[]>();
  const types = chaosTypesOf(host.subject.kind.adapter);
  for (const { fault } of context.store.live(host.subject.name)) {
    const layer = types.find((t) => t.name === fault.chaos_type)?.layer ?? 'none';
    for (const { node } of fault.targets) busy.set(node, [...(busy.get(node) ?? []), { fault, layer }]);
  }
  return busy;
}

/** Targets, plan and undo of an injection, without doing it. */
export async function planUse(context: Context, host: Host, request: FaultRequest, signal: AbortSignal): Promise<FaultPlanView> {
  using limited = deadline('plan', injectMs, signal);
  const { injection, scene } = await prepare(context, host, request, check(host, request), limited);
  const plan = await planOf(scene, injection, limited);
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
export function injectUse(
  context: Context,
  host: Host,
  after: { expiry: Expiry; injected: (host: Host, fault: string) => void },
  request: FaultRequest,
): Running {
  const checked = check(host, request);
  const began = context.clock.mono();
  const running = host.exclusive('inject', async (work): Promise<Fault> => {
    using limited = deadline('injection', injectMs, work.signal);
    const { injection, scene } = await prepare(context, host, request, checked, limited);
    work.phase(`inject ${injection.type.name}`);
    const undo = (record: FaultRecord) => {
      // The caller's cancel must not cut the undo off.
      const own = deadline('undo', recoverMs + 60_000);
      return heal(record, 'api', healContext(context, host, record), own).finally(() => own[Symbol.dispose]());
    };
    try {
      const fault = await context.quiet.during(() =>
        inject(injection, { scene, store: context.store, watchdog: context.watchdog, undo }, limited),
      );
      context.metrics.witnessed.observe(
        { chaos_type: fault.chaos_type, verdict: fault.effect?.verdict ?? 'unknown' },
        (context.clock.mono() - began) / 1000,
      );
      after.expiry.watch(fault);
      return fault;
    } catch (error) {
      // Undone, but not recorded as such, or not to its end: looked at again until it is.
      const left = context.store.get(injection.id)?.fault;
      if (left !== undefined && isLive(left.state)) after.expiry.tryAgain(left);
      throw error;
    } finally {
      host.poller.poke();
    }
  });
  void running.ended.then((operation) => {
    if (operation.state === 'succeeded') after.injected(host, (operation.result as Fault).id);
  });
  return running;
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
  await allEnded(unknown.map((r) => healOne(context, host, r.fault.id, r.fault.ended_by ?? 'recovery', signal)));
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
  return { faults: await allEnded(live.map(({ fault }) => healOne(context, host, fault.id, endedBy, signal))) };
}

/** Heals one fault under the subject's lock; answers an ended one as it is. */
export async function healOne(context: Context, host: Host, id: string, endedBy: EndedBy, signal: AbortSignal): Promise<Fault> {
  const record = find(context, host, id);
  if (!isLive(record.fault.state)) return record.fault;
  const time = context.metrics.healed.startTimer({ chaos_type: record.fault.chaos_type });
  try {
    using limited = deadline('heal', recoverMs + 60_000, signal);
    const fault = await heal(record, endedBy, healContext(context, host, record), limited);
    time({ verdict: fault.heal?.verdict ?? 'unknown' });
    return fault;
  } finally {
    host.poller.poke();
  }
}

/** Gives a live fault a new time to live, from now. */
export async function renewUse(
  context: Context,
  host: Host,
  expiry: Expiry,
  id: string,
  ttlMs: number,
  signal: AbortSignal,
): Promise<Fault> {
  const ended = ({ fault }: FaultRecord) => new Problem('fault_ended', `Fault ${id} is ${fault.state}.`, { fault });
  find(context, host, id);
  const record = await context.store.nextFence(id);
  if (record === null) throw ended(find(context, host, id));
  // The watchdog first: if it cannot be told, the old end stands on both sides.
  const guarded = await context.watchdog.arm(record, ttlMs, record.fault.guarded, signal);
  // Somebody may have changed or ended it meanwhile: what they wrote stands.
  const renewed = await context.store.patch(id, ({ fault }) => {
    if (fault.state !== 'active') return false;
    fault.guarded = guarded;
    fault.expires_at = rfc3339(context.clock.now() + ttlMs);
    return true;
  });
  const now = find(context, host, id);
  if (!renewed) {
    await context.watchdog.disarm(record, signal);
    throw ended(now);
  }
  const { fault } = now;
  expiry.watch(fault);
  context.events.emit('fault.renewed', host.subject.name, { fault_id: id, expires_at: fault.expires_at });
  return fault;
}

export function find(context: Context, host: Host, id: string): FaultRecord {
  const record = context.store.get(id);
  if (record === null || record.fault.subject !== host.subject.name)
    throw new Problem('fault_not_found', `${host.subject.name} has no fault ${id.slice(0, 64)}.`);
  return record;
}

function healContext(context: Context, host: Host, record: FaultRecord): HealContext {
  return {
    type: knownType(host.subject.kind.adapter, record.fault.chaos_type),
    scene: (signal) => sceneOf(context, host, signal),
    hands: context,
    store: context.store,
    watchdog: context.watchdog,
    recovered: (nodes, signal) => recovered(context, host, record.fault.id, nodes, signal),
  };
}
