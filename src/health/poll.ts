import type { Engine } from '../engine/port.ts';
import type { Checks } from '../kind/check.ts';
import { type Observed, observe, toNodes } from '../kind/observe.ts';
import type { Subject } from '../kind/subject.ts';
import type { Reach } from '../kind/toolkit.ts';
import { type Clock, rfc3339 } from '../lib/clock.ts';
import type { Turn } from '../lib/turns.ts';
import { deadline } from '../lib/until.ts';
import { combine, containerViews, type HealthReport, unknownReport } from './report.ts';

export interface PollContext {
  engine: Engine;
  owner: string;
  checks: Checks;
  clock: Clock;
  env: Readonly<Record<string, string | undefined>>;
}

/** An adapter bounds its own requests and the engine answers in milliseconds; an engine call that hangs must not end the polling. */
const pollMs = 15_000;

/** One poll: the containers, their own checks where the engine has not run them yet, and the adapter's proof, each question in its turn. Throws EngineError. */
export async function poll(context: PollContext, subject: Subject, reach: Reach, turn: Turn, parent: AbortSignal): Promise<HealthReport> {
  using signal = deadline(`health of ${subject.name}`, pollMs, parent);
  const { engine, owner, checks, clock, env } = context;
  const observed = await observe(engine, owner, subject, signal, turn);
  const members = observed.filter((o) => o.type !== null);
  if (members.every((o) => o.detail === null)) {
    return unknownReport(
      subject.name,
      members.map((o) => ({ name: o.service, type: o.type ?? '' })),
      'down',
      'The subject is not there: reset it.',
      rfc3339(clock.now()),
    );
  }
  const outcomes = new Map<Observed, { checked: boolean; why: string | null }>();
  await Promise.all(members.map(async (o) => outcomes.set(o, await ownCheck(o, checks, signal))));
  const toolkit = reach.toolkit(subject.name, toNodes(subject, observed), env, turn);
  const system = await subject.kind.adapter.health(toolkit, signal);
  const views = containerViews(observed, (o) => outcomes.get(o) ?? { checked: false, why: null });
  return combine(subject.name, views, system, rfc3339(clock.now()));
}

/**
 * `healthy` of the engine counts, `unhealthy` counts too; while it says `starting` our own run does. An engine also says `unhealthy`, without a failure of the check, of a container that
 * was paused, until the next run (moby's health monitor sets it when it is closed): then our own run counts as well.
 */
async function ownCheck(o: Observed, checks: Checks, signal: AbortSignal): Promise<{ checked: boolean; why: string | null }> {
  const container = o.detail;
  if (container === null || container.state !== 'running') return { checked: false, why: null };
  const unhealthy = container.health?.status === 'unhealthy';
  if (unhealthy && (container.health?.failingStreak ?? 0) > 0)
    return { checked: false, why: `fails: ${container.health?.lastOutput?.trim().slice(0, 200) ?? 'no output'}` };
  if (!unhealthy && checks.passed(container)) return { checked: true, why: null };
  const run = await checks.run(container, signal);
  return { checked: run.passed, why: run.passed ? null : `has not passed yet: ${run.output.slice(0, 200)}` };
}
