import type { SubjectView } from '../../src/control/api.ts';
import type { Engine } from '../../src/engine/port.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { newId } from '../../src/lib/id.ts';
import { settingDefaults } from '../../src/settings.ts';
import { ResidentToolbox } from '../../src/toolbox/resident.ts';
import { kindsEnv } from '../names.ts';
import { type Service, withService } from '../service.ts';
import { busyCores } from '../spinners.ts';
import { percentile } from '../stats.ts';
import type { Bench } from '../study.ts';

/** Packets a second out of the node. */
const rates = [100, 500, 2000];
const seconds = 2;
const size = 64;
/** A flow keeps its order, so that delays are what was drawn only where a packet has gone before the next one comes. */
const apartMs = 120;

interface Asked {
  text: string;
  params: Record<string, number>;
  minMs: number;
  maxMs: number;
}

const askedFor: Asked[] = [
  { text: '5 ms', params: { delay_ms: 5 }, minMs: 5, maxMs: 5 },
  { text: '50 ms', params: { delay_ms: 50 }, minMs: 50, maxMs: 50 },
  { text: '50 to 150 ms', params: { min_ms: 50, max_ms: 150 }, minMs: 50, maxMs: 150 },
];

/** Delays of one series of packets, the same series' median without the fault taken off. All in milliseconds. */
export interface DelayFigures {
  asked: string;
  min_ms: number;
  max_ms: number;
  rate: number;
  flows: number;
  load: 'idle' | 'both cores busy';
  mechanism: string;
  verdict: string;
  sent: number;
  received: number;
  /** Median of the same series before the fault. */
  before_p50: number;
  p5: number;
  p50: number;
  p95: number;
  p99: number;
  mean: number;
  /** How far the mean is from the middle of what was asked. */
  off_ms: number;
  /** Share of packets that are no further outside what was asked than the goal allows. */
  within_percent: number;
  /** 10 % or 2 ms, whichever is more. */
  goal_ms: number;
  met: boolean;
}

/** Delays asked of the API against delays of trains of packets, for a few rates, on an idle machine and on a busy one. */
export async function measureDelays({ engine, say }: Bench, signal: AbortSignal): Promise<DelayFigures[]> {
  return withService(kindsEnv(), signal, async (service) => {
    await service.call('POST', '/v1/subjects/trio/reset', signal, {});
    const probe = await Probe.start(engine, service, signal);
    try {
      const idle = await measureAt('idle', probe, service, say, signal);
      using _busy = busyCores();
      return [...idle, ...(await measureAt('both cores busy', probe, service, say, signal))];
    } finally {
      probe.close();
      await service.call('DELETE', '/v1/subjects/trio', signal);
    }
  });
}

async function measureAt(
  load: DelayFigures['load'],
  probe: Probe,
  service: Service,
  say: Bench['say'],
  signal: AbortSignal,
): Promise<DelayFigures[]> {
  const figures: DelayFigures[] = [];
  for (const asked of askedFor) {
    const series = rates.map((rate) => ({ rate, flows: flowsOf(asked, rate) }));
    const before: Packets[] = [];
    for (const { rate, flows } of series) before.push(await probe.send(rate, flows, 0, signal));
    const fault = await service.call<Fault>('POST', '/v1/subjects/trio/faults', signal, {
      ...{ chaos_type: 'latency', params: asked.params, target: { node: 'cell0' }, require_effect: false },
    });
    for (const [i, { rate, flows }] of series.entries()) {
      const after = await probe.send(rate, flows, asked.maxMs, signal);
      const found = judged(asked, rate, flows, load, before[i] ?? after, after, fault);
      figures.push(found);
      say(
        `delay of ${asked.text} at ${rate}/s, ${load}: p50 ${found.p50.toFixed(1)} ms, ${found.within_percent.toFixed(1)} % within the goal`,
      );
    }
    const healed = await service.call<Fault>('DELETE', `/v1/subjects/trio/faults/${fault.id}`, signal);
    if (healed.heal?.verdict !== 'clean') throw new Error(`a heal was not clean: ${JSON.stringify(healed.heal)}`);
  }
  return figures;
}

/** One flow for a fixed delay; for a range as many as keep each flow's packets further apart than the range is wide. */
function flowsOf({ minMs, maxMs }: Asked, rate: number): number {
  return minMs === maxMs ? 1 : Math.ceil((rate * apartMs) / 1000);
}

function judged(
  asked: Asked,
  rate: number,
  flows: number,
  load: DelayFigures['load'],
  before: Packets,
  after: Packets,
  fault: Fault,
): DelayFigures {
  const base = percentile(before.delaysMs, 50);
  const delays = after.delaysMs.map((ms) => ms - base);
  const middle = (asked.minMs + asked.maxMs) / 2;
  const goal = Math.max(2, middle / 10);
  const mean = delays.reduce((sum, ms) => sum + ms, 0) / delays.length;
  const within = delays.filter((ms) => ms >= asked.minMs - goal && ms <= asked.maxMs + goal).length;
  const p95 = percentile(delays, 95);
  const p5 = percentile(delays, 5);
  return {
    asked: asked.text,
    min_ms: asked.minMs,
    max_ms: asked.maxMs,
    rate,
    flows,
    load,
    mechanism: fault.mechanism,
    verdict: fault.effect?.verdict ?? 'none',
    sent: after.sent,
    received: after.delaysMs.length,
    before_p50: base,
    p5,
    p50: percentile(delays, 50),
    p95,
    p99: percentile(delays, 99),
    mean,
    off_ms: mean - middle,
    within_percent: (100 * within) / delays.length,
    goal_ms: goal,
    met: Math.abs(mean - middle) <= goal && p5 >= asked.minMs - goal && p95 <= asked.maxMs + goal,
  };
}

interface Packets {
  sent: number;
  delaysMs: number[];
}

/** Sends trains from the first node of trio to the second, through a session of its own with the toolbox. */
class Probe {
  #toolbox: ResidentToolbox;
  #from: string;
  #to: string;
  #address: string;

  private constructor(toolbox: ResidentToolbox, from: string, to: string, address: string) {
    this.#toolbox = toolbox;
    this.#from = from;
    this.#to = to;
    this.#address = address;
  }

  static async start(engine: Engine, service: Service, signal: AbortSignal): Promise<Probe> {
    const { nodes } = await service.call<SubjectView>('GET', '/v1/subjects/trio', signal);
    const ids = nodes.map(({ container_id }) => container_id ?? '');
    const [from = '', to = ''] = ids;
    const address = (await engine.inspectContainer(to, signal))?.networks[0]?.ipv4 ?? null;
    if (address === null) throw new Error('the second node has no address');
    const options = { image: settingDefaults.SUBJECTD_TOOLBOX_IMAGE, engineSocket: settingDefaults.SUBJECTD_ENGINE_SOCKET };
    return new Probe(new ResidentToolbox(engine, options, newId('own')), from, to, address);
  }

  async send(rate: number, flows: number, longestMs: number, signal: AbortSignal): Promise<Packets> {
    const perFlow = rate / flows;
    const pairs = Array.from({ length: flows }, (_, i) => ({ name: `flow ${i}`, from: this.#from, to: this.#to, address: this.#address }));
    const shape = {
      count: Math.round(perFlow * seconds),
      interval_us: Math.round(1e6 / perFlow),
      size,
      wait_ms: Math.ceil(longestMs) + 1000,
    };
    const { pairs: trains } = await this.#toolbox.call('measure.trains', { pairs, ...shape }, signal, 30_000);
    const broken = trains.find(({ error }) => error !== undefined);
    if (broken !== undefined) throw new Error(`${broken.name}: ${broken.error}`);
    return {
      sent: trains.reduce((sum, train) => sum + train.sent, 0),
      delaysMs: trains.flatMap(({ delays_us }) => delays_us.filter((us) => us >= 0).map((us) => us / 1000)),
    };
  }

  close(): void {
    this.#toolbox.close();
  }
}
