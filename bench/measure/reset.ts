import type { ResetResult } from '../../src/control/api.ts';
import type { Engine } from '../../src/engine/port.ts';
import type { Adapter } from '../../src/kind/adapter.ts';
import { composePrefix } from '../names.ts';
import type { Peer } from '../peer.ts';
import { untilHealthy } from '../proof.ts';
import type { Service } from '../service.ts';
import { columns, type Ratios, ratios, type Summary, summarize } from '../stats.ts';

/** One system that both reset, from one file. */
export interface Contest {
  kind: string;
  /** For people. */
  title: string;
  file: string;
  adapter: Adapter;
}

export interface ResetFigures {
  kind: string;
  title: string;
  nodes: number;
  /** All in milliseconds, from request to answer: `total` for a running system, burn included, `from_nothing` for none. */
  subjectd: { total: Summary; from_nothing: Summary; phases: Record<string, Summary>; samples: Record<string, number>[] };
  /** `total` is `down -v` and `up -d --wait`; `proven` adds the time until the system itself says that it is healthy. */
  compose: { total: Summary; proven: Summary; down: Summary; up: Summary; after: Summary; samples: Record<string, number>[] };
  ratio: Ratios;
  ratio_to_proven: Ratios;
}

interface Bench {
  engine: Engine;
  service: Service;
  peer: Peer;
  say: (text: string) => void;
}

/**
 * Resets one system by subjectd and by Compose in turn, once to warm up and `rounds` times more; who goes first changes from round to round.
 * Only one of the two systems is on the engine at any time. Each is proven healthy before it is reset or taken down.
 */
export async function measureReset(bench: Bench, contest: Contest, rounds: number, signal: AbortSignal): Promise<ResetFigures> {
  const subjectd: Record<string, number>[] = [];
  const compose: Record<string, number>[] = [];
  for (let round = 0; round <= rounds; round++) {
    const turns = [
      async () => subjectd.push(await bySubjectd(bench.service, contest, signal)),
      async () => compose.push(await byCompose(bench, contest, signal)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    const seconds = (sample: Record<string, number> | undefined) => ((sample?.total ?? 0) / 1000).toFixed(2);
    const name = round === 0 ? 'to warm up' : `round ${round}`;
    bench.say(`reset of ${contest.title}, ${name}: subjectd ${seconds(subjectd.at(-1))} s, Compose ${seconds(compose.at(-1))} s`);
  }
  return figures(contest, subjectd.slice(1), compose.slice(1));
}

/** A reset of the running system; the one before it, from nothing, is told apart. */
async function bySubjectd(service: Service, { kind }: Contest, signal: AbortSignal): Promise<Record<string, number>> {
  const path = `/v1/subjects/${kind}`;
  const reset = async () => {
    const began = performance.now();
    const { phases } = await service.call<ResetResult>('POST', `${path}/reset`, signal, {});
    return { took: performance.now() - began, phases };
  };
  const first = await reset();
  const { took: total, phases } = await reset();
  await service.call('DELETE', path, signal);
  return { total, from_nothing: first.took, ...Object.fromEntries(phases.map(({ name, duration_ms }) => [name, duration_ms])) };
}

/** From nothing to up and from healthy to nothing: the two commands of a reset, in the order that leaves the engine empty for the other. */
async function byCompose({ engine, peer }: Bench, { kind, file, adapter }: Contest, signal: AbortSignal): Promise<Record<string, number>> {
  const project = `${composePrefix}${kind}`;
  const up = await peer.compose(project, file, ['up', '-d', '--wait'], signal);
  const after = await untilHealthy(engine, adapter, project, signal);
  const down = await peer.compose(project, file, ['down', '-v'], signal);
  return { total: down + up, proven: down + up + after, down, up, after };
}

function figures(contest: Contest, subjectd: Record<string, number>[], compose: Record<string, number>[]): ResetFigures {
  const { total: ours = [], from_nothing = [], ...phases } = columns(subjectd);
  const { total = [], proven = [], down = [], up = [], after = [] } = columns(compose);
  const fast = summarize(ours);
  return {
    kind: contest.kind,
    title: contest.title,
    nodes: Object.keys(contest.adapter.nodeTypes).length,
    subjectd: {
      total: fast,
      from_nothing: summarize(from_nothing),
      phases: Object.fromEntries(Object.entries(phases).map(([name, samples]) => [name, summarize(samples)])),
      samples: subjectd,
    },
    compose: {
      total: summarize(total),
      proven: summarize(proven),
      down: summarize(down),
      up: summarize(up),
      after: summarize(after),
      samples: compose,
    },
    ratio: ratios(summarize(total), fast),
    ratio_to_proven: ratios(summarize(proven), fast),
  };
}
