import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { Control, Running } from '../../src/control/api.ts';
import { createControl } from '../../src/control/create.ts';
import type { Engine } from '../../src/engine/port.ts';
import type { Effect, Fault, HealResult } from '../../src/faults/fault.ts';
import { isLive } from '../../src/faults/fault.ts';
import { deadline, pause, until } from '../../src/lib/until.ts';
import { readSettings } from '../../src/settings.ts';
import { kindsEnv, portOffset, prefix, root } from '../names.ts';
import { busyCores } from '../spinners.ts';
import type { Bench } from '../study.ts';
import { type Done, Hand, type Undone } from './hand.ts';
import { type TruthRun, truthPlan } from './plan.ts';

const subject = 'trio';
const nodes = ['cell0', 'cell1', 'cell2'];
const graceMs = 25_000;
const runMs = 180_000;
const busyAgainMs = 50;

export type InjectAnswer = Effect['verdict'] | 'error';
export type HealAnswer = HealResult['verdict'] | 'error';

export interface TruthOutcome extends TruthRun {
  answer: InjectAnswer;
  /** Null: there was nothing to heal. */
  healed: HealAnswer | null;
  /** What an independent look found after that heal, past the service; empty: nothing. */
  left: string[];
  /** The heal after a sabotaged one, with nobody in its way. */
  healed_again: HealAnswer | null;
  left_again: string[];
  detail: string | null;
  took_ms: number;
}

export interface TruthFigures {
  seed: number;
  runs: TruthOutcome[];
  /** Rows: what was really done. */
  effects: Record<Done, Record<InjectAnswer, number>>;
  heals: Record<Undone, Record<HealAnswer, number>>;
  /** `confirmed` for what was not there, and `clean` while an independent look found something. */
  false_confirmed: number;
  false_clean: number;
  /** Real faults that were not confirmed. */
  misses: number;
  /** Heals with nobody in their way that did not end clean. */
  heal_misses: number;
}

/**
 * Seeded runs of faults that are real, withheld, or undone by somebody, on a machine whose cores are all busy, against the service's own code in this process. What was really done is known, since it goes through
 * one hand; what is left after a heal is looked for past the service.
 */
export async function measureTruth({ engine, options, say }: Bench, signal: AbortSignal): Promise<TruthFigures> {
  const seed = options.seed ?? randomInt(0, 1_000_000);
  say(`the truth table's seed is ${seed}`);
  const hand = new Hand(engine);
  const dir = mkdtempSync(join(tmpdir(), 'subjectd-bench-truth-'));
  const handle = await createControl({ ...controlOptions(dir), version: '0.0.0-bench', engine, instrument: hand.instrument });
  const { control } = handle;
  const runs: TruthOutcome[] = [];
  try {
    await ended(control.reset(subject, {}));
    using _busy = busyCores();
    for (const [i, run] of truthPlan(seed, options.runs).entries()) {
      signal.throwIfAborted();
      const outcome = await carryOut(run, control, hand, engine, signal);
      runs.push(outcome);
      say(sentence(i + 1, outcome));
    }
    hand.undone = 'real';
    await ended(control.deleteSubject(subject));
  } finally {
    await hand.rest();
    await handle.close(graceMs);
    rmSync(dir, { recursive: true, force: true });
  }
  return counted(seed, runs);
}

function controlOptions(dataDir: string) {
  const env = { ...process.env, ...kindsEnv() };
  const settings = readSettings(
    {
      ...{ SUBJECTD_DATA_DIR: dataDir, SUBJECTD_PROJECT_PREFIX: prefix, SUBJECTD_PORT_OFFSET: String(portOffset) },
      ...(process.env.DOCKER_HOST === undefined ? {} : { DOCKER_HOST: process.env.DOCKER_HOST }),
    },
    root,
  );
  const { SUBJECTD_SUBJECTS_DIR: kinds = '' } = kindsEnv();
  return { ...settings, log: pino({ level: 'silent' }), kindFolders: [{ files: kinds, code: kinds }], env };
}

async function carryOut(run: TruthRun, control: Control, hand: Hand, engine: Engine, parent: AbortSignal): Promise<TruthOutcome> {
  using signal = deadline('a run', runMs, parent);
  const began = performance.now();
  const outcome: TruthOutcome = {
    ...run,
    ...{ answer: 'error', healed: null, left: [], healed_again: null, left_again: [], detail: null, took_ms: 0 },
  };
  hand.done = run.done;
  const fault = await inject(run, control, outcome);
  hand.done = 'real';
  if (run.done === 'sabotaged') await hand.rest();
  if (fault !== null) {
    hand.undone = run.undone;
    outcome.healed = await heal(fault, control, outcome, signal);
    outcome.left = outcome.healed === 'clean' ? await left(fault.id, control, hand, engine, signal) : [];
    hand.undone = 'real';
    if (outcome.healed !== 'clean') {
      outcome.healed_again = await heal(fault, control, outcome, signal);
      outcome.left_again = outcome.healed_again === 'clean' ? await left(fault.id, control, hand, engine, signal) : [];
    }
  }
  await hand.rest();
  await tidy(control, signal);
  outcome.took_ms = Math.round(performance.now() - began);
  return outcome;
}

async function inject({ chaos_type, params, node }: TruthRun, control: Control, outcome: TruthOutcome): Promise<Fault | null> {
  try {
    const fault = (await ended(control.inject(subject, { chaos_type, params, target: { node }, require_effect: false }))) as Fault;
    outcome.answer = fault.effect?.verdict ?? 'error';
    if (outcome.answer !== expected[outcome.done]) outcome.detail = JSON.stringify(fault.effect).slice(0, 2000);
    return fault;
  } catch (error) {
    outcome.detail = error instanceof Error ? error.message : String(error);
    return null;
  }
}

const expected: Record<Done, InjectAnswer> = { real: 'confirmed', placebo: 'not_observed', sabotaged: 'not_observed' };

/** The service ends by itself a fault that somebody undid, and may be at it. */
async function heal({ id }: Fault, control: Control, outcome: TruthOutcome, signal: AbortSignal): Promise<HealAnswer> {
  for (;;) {
    try {
      const fault = (await ended(control.heal(subject, id))) as Fault;
      if (fault.heal?.verdict !== 'clean') outcome.detail ??= JSON.stringify(fault.heal).slice(0, 1000);
      return fault.heal?.verdict ?? 'error';
    } catch (error) {
      if ((error as { code?: unknown }).code === 'subject_busy') {
        await pause(busyAgainMs, signal);
        continue;
      }
      outcome.detail ??= error instanceof Error ? error.message : String(error);
      return 'error';
    }
  }
}

/** What is left of a fault, or of any other on these nodes, by the engine's word and by the toolbox's look at every node and volume. Other services' faults are their own. */
async function left(fault: string, control: Control, hand: Hand, engine: Engine, signal: AbortSignal): Promise<string[]> {
  const { nodes: views, project } = await control.subject(subject, signal);
  const ids = views.flatMap(({ container_id }) => container_id ?? []);
  const containers = await Promise.all(ids.map((id) => engine.inspectContainer(id, signal)));
  const down = containers.flatMap((c, i) => (c?.state === 'running' ? [] : [`${views[i]?.name}: ${c?.state ?? 'absent'}`]));
  const alive = ids.filter((_, i) => containers[i]?.state === 'running');
  const volumes = nodes.map((name) => `${project}_${name}`);
  const { residue } = await hand.toolbox.call('audit', { fault: null, container_ids: alive, volumes }, signal);
  const ours = residue.filter(({ container_id, what }) => ids.includes(container_id) || what.includes(fault));
  return [...down, ...ours.map(({ container_id, what }) => `${views.find((v) => v.container_id === container_id)?.name ?? ''}: ${what}`)];
}

/** Everything healed and healthy for the next run; by a reset where it must be. */
async function tidy(control: Control, signal: AbortSignal): Promise<void> {
  // The service may be at the end of a fault that somebody undid.
  const free = async () => ((await control.subject(subject, signal)).operation === null ? true : undefined);
  await until(free, busyAgainMs, signal);
  if (control.faults(subject, { limit: 500 }).items.some((f) => isLive(f.state))) await ended(control.healAll(subject));
  const { healthy } = await control.health(subject, { wait: true, timeoutMs: 30_000 }, signal);
  if (!healthy || control.faults(subject, { limit: 500 }).items.some((f) => isLive(f.state))) await ended(control.reset(subject, {}));
}

/** The result of a piece of work; throws what it ended with, when it did not succeed. */
async function ended(running: Running): Promise<unknown> {
  const { state, result, error } = await running.ended;
  if (state === 'succeeded') return result;
  throw Object.assign(new Error(`${state}: ${error?.detail ?? ''}`), { code: error?.code });
}

/** The figures of the table, from the runs alone. */
export function counted(seed: number, runs: TruthOutcome[]): TruthFigures {
  const effect = (): Record<InjectAnswer, number> => ({ confirmed: 0, not_observed: 0, inconclusive: 0, error: 0 });
  const ending = (): Record<HealAnswer, number> => ({ clean: 0, dirty: 0, unknown: 0, error: 0 });
  const effects = { real: effect(), placebo: effect(), sabotaged: effect() };
  const heals = { real: ending(), withheld: ending(), put_back: ending(), failing: ending() };
  for (const { done, answer, healed, undone, healed_again } of runs) {
    effects[done][answer]++;
    if (healed !== null) heals[undone][healed]++;
    if (healed_again !== null) heals.real[healed_again]++;
  }
  return {
    seed,
    runs,
    effects,
    heals,
    false_confirmed: effects.placebo.confirmed + effects.sabotaged.confirmed,
    false_clean: runs.filter(isFalselyClean).length,
    misses: effects.real.not_observed + effects.real.inconclusive + effects.real.error,
    heal_misses: heals.real.dirty + heals.real.unknown + heals.real.error,
  };
}

function isFalselyClean({ undone, healed, left: found, left_again }: TruthOutcome): boolean {
  return (healed === 'clean' && (undone !== 'real' || found.length > 0)) || left_again.length > 0;
}

function sentence(
  n: number,
  { chaos_type, done, answer, undone, healed, healed_again, left: found, took_ms, detail }: TruthOutcome,
): string {
  const again = healed_again === null ? '' : `, then ${healed_again}`;
  const rest = found.length === 0 ? '' : ` LEFT ${found.join('; ')}`;
  const why = answer !== expected[done] || (undone === 'real' && healed !== 'clean') ? ` ${detail?.slice(0, 300) ?? ''}` : '';
  return `${n}. ${chaos_type}, ${done}: ${answer}; heal ${undone}: ${healed ?? '–'}${again}${rest} (${took_ms} ms)${why}`;
}
