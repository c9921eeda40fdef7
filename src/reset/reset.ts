import type { Engine } from '../engine/port.ts';
import type { Checks } from '../kind/check.ts';
import type { Subject } from '../kind/subject.ts';
import { Problem } from '../lib/problem.ts';
import { either } from '../lib/until.ts';
import { forEngine } from './binds.ts';
import type { BoundedVolumes } from './bounded.ts';
import { planBurn } from './burn.ts';
import { execute, isCuredByReplanning, NotKept } from './execute.ts';
import { type Existing, findExisting, type Owners } from './existing.ts';
import type { ImagePins } from './images.ts';
import { planReset } from './plan.ts';
import { refusePublishedPorts, refuseTakenPorts } from './ports.ts';
import { Exits, guardNodes } from './ready.ts';
import { hostRanges } from './routes.ts';
import type { PlanStep } from './step.ts';
import { chooseSubnet, parseRange, pinAddresses, type Range } from './subnet.ts';

export interface ResetContext {
  engine: Engine;
  owner: string;
  owners: Owners;
  bounded: BoundedVolumes;
  checks: Checks;
  pins: ImagePins;
  /** Where the subjects' networks are taken from. */
  subnetPool: Range;
  /** True when this process runs on the engine's host and sees its ports. */
  onHost: boolean;
  /** This process's own container, which joins each subject's network; null when it needs not. */
  self: string | null;
}

export interface ResetOutcome {
  /** Durations in milliseconds, in order. */
  phases: { name: string; duration_ms: number }[];
  notes: string[];
}

/** How often a range may be taken, or a network change, between the look and the act. */
const mostPlans = 8;
const pullMs = 300_000;

/**
 * Burns what the subject has, creates and starts it anew, waits until every node's own check passes, and then for the system's own proof. What can be refused (images,
 * conflicts, ports) is refused before anything is changed. Throws Problems and EngineErrors.
 */
export async function resetSubject(
  context: ResetContext,
  given: Subject,
  generation: number,
  hooks: {
    onStep: (step: PlanStep) => void;
    /** Called when all that can be refused was not, before anything is changed. */
    beforeChange: () => Promise<void>;
    /** The system's own proof of health, asked when every node is ready; a node that exits meanwhile ends it. */
    prove: (signal: AbortSignal) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<ResetOutcome> {
  const started = performance.now();
  const { engine, owner } = context;
  const subject = { ...given, project: await forEngine(engine, given.project, signal) };
  const [{ images, notes }, existing, { apiVersion }] = await Promise.all([
    context.pins.resolve(subject, pullMs, signal),
    findExisting(context, subject, signal),
    engine.info(signal),
  ]);
  if (context.onHost) await refuseTakenPorts(subject.project, new Set(existing.containers.flatMap((c) => c.hostPorts)));
  else refusePublishedPorts(subject.project, await othersPorts(engine, existing, signal));
  const plain = await plainVolumes(context, subject, signal);
  if (plain !== null) notes.push(plain);
  const observedMs = performance.now() - started;
  // An exhausted pool is found before anything is changed, too.
  let subnets = await chooseSubnets(context, subject, existing, [], signal);
  await hooks.beforeChange();
  signal.throwIfAborted();

  const stop = new AbortController();
  using both = either(signal, stop.signal);
  const exits = await Exits.watch(engine, owner, subject.project.name, both);
  try {
    const guests = guestsOf(context, subject, existing);
    for (const [key, names] of guests.strangers)
      notes.push(`On network ${key} was also: ${names.join(', ')}; it was taken off and put back.`);
    const refused: Range[] = [];
    let left = existing;
    let keepNetworks = true;
    for (let attempt = 1; ; attempt++) {
      const addresses = new Map(
        subject.project.networks.map((n) => [n.key, addressesFor(subject, n.key, subnets.get(n.key) ?? n.subnets[0]?.subnet)]),
      );
      const input = {
        ...{ owner, generation, existing: left, images, subnets, addresses },
        ...{ guests: guests.byNetwork, self: context.self, apiVersion },
      };
      const plan = planReset(subject, { ...input, keepNetworks, bounded: plain === null });
      try {
        const ended = await execute(plan, { ...context, exits, project: subject.project, onStep: hooks.onStep }, signal);
        const provedFrom = performance.now();
        const mustStay = plan.flatMap((s) => (s.op === 'node.await' && s.condition === 'ready' ? [s] : []));
        await Promise.race([hooks.prove(both), guardNodes({ engine, exits, project: subject.project }, mustStay, both)]);
        return {
          phases: [...phases(observedMs, ended), { name: 'prove', duration_ms: Math.round(performance.now() - provedFrom) }],
          notes,
        };
      } catch (error) {
        if (attempt === mostPlans || !isCuredByReplanning(error)) throw error;
        if (error instanceof NotKept) keepNetworks = false;
        else refused.push(...[...subnets.values()].flatMap((s) => parseRange(s) ?? []));
        left = await findExisting(context, subject, signal);
        subnets = await chooseSubnets(context, subject, left, refused, signal);
      }
    }
  } finally {
    stop.abort();
    await exits.ended();
  }
}

/** Removes everything the subject has on the engine and looks that nothing is left. */
export async function burnSubject(
  context: ResetContext,
  subject: Subject,
  hooks: { onStep: (step: PlanStep) => void; beforeChange: () => Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  const { engine, owner } = context;
  const existing = await findExisting(context, subject, signal);
  await hooks.beforeChange();
  signal.throwIfAborted();
  const stop = new AbortController();
  using both = either(signal, stop.signal);
  const exits = await Exits.watch(engine, owner, subject.project.name, both);
  try {
    await execute(planBurn(existing), { ...context, exits, project: subject.project, onStep: hooks.onStep }, signal);
  } finally {
    stop.abort();
    await exits.ended();
  }
  const left = await findExisting(context, subject, signal);
  const names = [...left.containers, ...left.networks, ...left.volumes].map((o) => o.name);
  if (names.length > 0)
    throw new Problem('engine_error', `The engine still has ${names.join(', ')} after it was told to remove them.`, { residue: names });
}

/** Null: the volumes of limited size that the subject wants can be had, or it wants none. Else the sentence for the answer. */
async function plainVolumes(context: ResetContext, subject: Subject, signal: AbortSignal): Promise<string | null> {
  const wanted = subject.project.volumes.filter((v) => v.bounded !== null).map((v) => v.name);
  if (wanted.length === 0) return null;
  const why = await context.bounded.obstacle(signal);
  return why === null
    ? null
    : `Volumes of limited size cannot be had here (${why}): ${wanted.join(', ')} are plain ones, and disk_pressure is not available.`;
}

/** The phases follow one another in what they report, though their steps overlap: each ends with its last step. */
function phases(observedMs: number, ended: { burn: number; create: number; start: number }): { name: string; duration_ms: number }[] {
  const burn = ended.burn;
  const create = Math.max(burn, ended.create);
  const start = Math.max(create, ended.start);
  return [
    { name: 'observe', duration_ms: Math.round(observedMs) },
    { name: 'burn', duration_ms: Math.round(burn) },
    { name: 'create', duration_ms: Math.round(create - burn) },
    { name: 'start', duration_ms: Math.round(start - create) },
  ];
}

/** Host ports that containers outside the subject publish. */
async function othersPorts(engine: Engine, existing: Existing, signal: AbortSignal): Promise<Set<number>> {
  const own = new Set(existing.containers.map((c) => c.id));
  const others = (await engine.listContainers([], signal)).filter((c) => c.state === 'running' && !own.has(c.id));
  const details = await Promise.all(others.map((c) => engine.inspectContainer(c.id, signal)));
  return new Set(details.flatMap((d) => d?.ports.map((p) => p.hostPort) ?? []));
}

function guestsOf(
  context: ResetContext,
  subject: Subject,
  existing: Existing,
): { byNetwork: Map<string, string[]>; strangers: Map<string, string[]> } {
  const byNetwork = new Map<string, string[]>();
  const strangers = new Map<string, string[]>();
  for (const network of subject.project.networks) {
    const there = existing.networks.find((n) => n.name === network.name)?.guests.filter((g) => g.id !== context.self) ?? [];
    byNetwork.set(network.key, [...(context.self === null ? [] : [context.self]), ...there.map((g) => g.id)]);
    if (there.length > 0)
      strangers.set(
        network.name,
        there.map((g) => g.name),
      );
  }
  return { byNetwork, strangers };
}

async function chooseSubnets(
  context: ResetContext,
  subject: Subject,
  existing: Existing,
  refused: readonly Range[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const own = new Set(existing.networks.map((n) => n.id));
  const networks = await context.engine.listNetworks(signal);
  const ranges = (list: typeof networks) => list.flatMap((n) => n.subnets.flatMap((s) => parseRange(s) ?? []));
  const mine = ranges(networks.filter((n) => own.has(n.id)));
  // The host's own addresses and routes include those of the networks that are about to be burnt.
  const host = (await hostRanges()).filter((r) => !mine.some((m) => m.first === r.first && m.bits === r.bits));
  const taken = [...ranges(networks.filter((n) => !own.has(n.id))), ...host, ...refused];
  const chosen = new Map<string, string>();
  for (const network of subject.project.networks) {
    if (network.subnets.length > 0 || (network.driver ?? 'bridge') !== 'bridge') continue;
    const subnet = chooseSubnet(context.subnetPool, network.name, taken);
    if (subnet === null) throw new Problem('engine_error', `There is no free /24 for network ${network.name} in SUBJECTD_SUBNET_POOL.`);
    chosen.set(network.key, subnet);
    taken.push(...(parseRange(subnet) === null ? [] : [parseRange(subnet) as Range]));
  }
  return chosen;
}

/** A restarted node keeps its address: each service gets one by its place in the file, and so the same at every reset. */
function addressesFor(subject: Subject, key: string, subnet: string | undefined): Map<string, string> {
  if (subnet === undefined) return new Map();
  const attached = subject.project.services.flatMap((s) =>
    s.networks.filter((a) => a.network === key).map((a) => ({ service: s.name, ipv4: a.ipv4 })),
  );
  const reserved = attached.flatMap((a) => a.ipv4 ?? []);
  return pinAddresses(
    subnet,
    attached.filter((a) => a.ipv4 === null).map((a) => a.service),
    reserved,
  );
}
