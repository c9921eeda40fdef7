import type { ChaosTypeView, FaultRequest } from '../../src/control/api.ts';
import type { Effect, Fault, HealResult } from '../../src/faults/fault.ts';
import { kindsEnv } from '../names.ts';
import { withService } from '../service.ts';
import { type Summary, summarize } from '../stats.ts';
import type { Bench } from '../study.ts';
import { witnessedAt } from '../witnessed.ts';

/** What was asked of each chaos type. */
const params: Record<string, Record<string, unknown>> = {
  packet_loss: { percent: 20 },
  bandwidth: { rate_kbit: 1000 },
  disk_pressure: { fill_percent: 80 },
  cpu_pressure: { percent: 50 },
  memory_pressure: { percent: 60 },
  counter_drift: { key: 'bench', extra: 10 },
};

/** Milliseconds at p95 from the request to the witnessed effect, at one node. */
const goals: Record<string, number> = { node_kill: 250, latency: 400, packet_loss: 400, bandwidth: 400, network_partition: 400 };

/** Subjects, and which of their chaos types; null: all of them. */
const subjects: { subject: string; only: string[] | null; target?: Record<string, { node: string }> }[] = [
  // A crash of a node that its restart policy revives ends by itself.
  { subject: 'trio', only: null, target: { node_crash: { node: 'cell0' } } },
  { subject: 'etcd', only: null },
  { subject: 'ratelimiter', only: ['counter_drift', 'redis_pause'] },
];

/** One chaos type on one subject. Summaries are in milliseconds; null: nothing was measured. */
export interface TypeFigures {
  subject: string;
  chaos_type: string;
  summary: string;
  /** Why it cannot be had on this subject here; null: it can. */
  unavailable: string | null;
  params: Record<string, unknown>;
  mechanism: string | null;
  rounds: number;
  /** How many of the rounds the watchdog held. */
  guarded: number;
  verdicts: Record<Effect['verdict'] | 'error', number>;
  heals: Record<HealResult['verdict'] | 'error', number>;
  errors: string[];
  goal_ms: number | null;
  /** From the request to the moment at which the effect was witnessed. */
  witnessed: Summary | null;
  /** From the request to the answer, which says so: for what must also last, some time later. */
  answered: Summary | null;
  /** A part of that: from the first act to the evidence. */
  observed: Summary | null;
  /** From the request to the answer that says `clean`. */
  healed: Summary | null;
  /** A part of that: until the undo steps were done. */
  undone: Summary | null;
  samples: Record<string, number>[];
}

/** Injects and heals each chaos type over HTTP, one at a time, a few rounds after one to warm up. */
export async function measureInjections({ options, say }: Bench, signal: AbortSignal): Promise<TypeFigures[]> {
  return withService(kindsEnv(), signal, async (service) => {
    const figures: TypeFigures[] = [];
    for (const { subject, only, target } of subjects) {
      const at = `/v1/subjects/${subject}`;
      await service.call('POST', `${at}/reset`, signal, {});
      const { chaos_types } = await service.call<{ chaos_types: ChaosTypeView[] }>('GET', `${at}/chaos-types`, signal);
      for (const type of chaos_types.filter(({ name }) => only === null || only.includes(name))) {
        const wanted = target?.[type.name];
        const round = (seed: number): FaultRequest => ({
          chaos_type: type.name,
          params: params[type.name] ?? {},
          seed,
          require_effect: false,
          ...(wanted === undefined ? {} : { target: wanted }),
        });
        const found = newFigures(subject, type);
        figures.push(found);
        for (let i = 0; type.available && i <= options.injections; i++) await one(service, at, round(i), i === 0 ? null : found, signal);
        conclude(found);
        const ms = (summary: Summary | null) => (summary === null ? '–' : `${summary.p50.toFixed(0)} (${summary.p95.toFixed(0)}) ms`);
        say(
          `${subject}, ${type.name}: witnessed ${ms(found.witnessed)}, healed ${ms(found.healed)} ${found.errors[0] ?? found.unavailable ?? ''}`,
        );
      }
      await service.call('DELETE', at, signal);
    }
    return figures;
  });
}

interface Caller {
  call<T>(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<T>;
}

/** A round is counted in `figures`, or not when that is null. A failure is counted too, and what it left is healed. */
async function one(service: Caller, at: string, request: FaultRequest, figures: TypeFigures | null, signal: AbortSignal): Promise<void> {
  const sample: Record<string, number> = {};
  let step: 'verdicts' | 'heals' = 'verdicts';
  try {
    const began = performance.now();
    const beganAt = Date.now();
    const fault = await service.call<Fault>('POST', `${at}/faults`, signal, request);
    sample.answered = performance.now() - began;
    if (fault.effect === null) throw new Error('the fault has no effect');
    sample.witnessed = witnessedAt(fault.effect) - beganAt;
    sample.observed = fault.effect.observed_ms;
    if (figures !== null) {
      figures.verdicts[fault.effect.verdict]++;
      figures.mechanism = fault.mechanism;
      figures.guarded += fault.guarded ? 1 : 0;
    }
    step = 'heals';
    const healing = performance.now();
    const healed = await service.call<Fault>('DELETE', `${at}/faults/${fault.id}`, signal);
    sample.healed = performance.now() - healing;
    if (healed.heal === null) throw new Error('the healed fault says nothing of its heal');
    sample.undone = healed.heal.undone_ms;
    if (figures === null) return;
    figures.heals[healed.heal.verdict]++;
    figures.samples.push(sample);
  } catch (error) {
    signal.throwIfAborted();
    if (figures !== null) {
      figures[step].error++;
      figures.errors.push(error instanceof Error ? error.message.slice(0, 500) : String(error));
    }
    await service.call('DELETE', `${at}/faults`, signal);
  }
  const { healthy } = await service.call<{ healthy: boolean }>('GET', `${at}/health?wait=healthy&timeout_ms=60000`, signal);
  if (!healthy) await service.call('POST', `${at}/reset`, signal, {});
}

function newFigures(subject: string, { name, summary, available, detail, reason, mechanism }: ChaosTypeView): TypeFigures {
  return {
    subject,
    chaos_type: name,
    summary,
    unavailable: available ? null : `${reason}: ${detail}`,
    params: params[name] ?? {},
    mechanism: available ? mechanism : null,
    rounds: 0,
    guarded: 0,
    verdicts: { confirmed: 0, not_observed: 0, inconclusive: 0, error: 0 },
    heals: { clean: 0, dirty: 0, unknown: 0, error: 0 },
    errors: [],
    goal_ms: goals[name] ?? null,
    witnessed: null,
    answered: null,
    observed: null,
    healed: null,
    undone: null,
    samples: [],
  };
}

function conclude(figures: TypeFigures): void {
  figures.rounds = Object.values(figures.verdicts).reduce((sum, count) => sum + count, 0);
  const summary = (name: string) => {
    const column = figures.samples.flatMap((sample) => sample[name] ?? []);
    return column.length === 0 ? null : summarize(column);
  };
  figures.witnessed = summary('witnessed');
  figures.answered = summary('answered');
  figures.observed = summary('observed');
  figures.healed = summary('healed');
  figures.undone = summary('undone');
}
