import type { HealthView } from '../../src/control/api.ts';
import type { Fault } from '../../src/faults/fault.ts';
import type { Peer } from '../peer.ts';
import type { Service } from '../service.ts';
import { columns, type Summary, summarize } from '../stats.ts';
import { witnessedAt } from '../witnessed.ts';

export interface KillFigures {
  subject: string;
  /** All in milliseconds. From the request to the answer, which says that the effect was witnessed and has lasted. */
  kill: Summary;
  /** From the request to the moment at which the effect was witnessed, a part of `kill`. */
  witnessed: Summary;
  /** The service's own time from the act to the evidence, a part of `witnessed`. */
  observed: Summary;
  /** From the request to the answer that says `clean`: the node runs and is proven healthy. */
  heal: Summary;
  /** `docker kill` and `docker inspect` until it says `exited`. */
  cli_kill: Summary;
  samples: Record<string, number>[];
}

interface Bench {
  service: Service;
  peer: Peer;
  say: (text: string) => void;
}

/** Kills a node of a healthy subject and heals it, then kills the same node by the docker command, `rounds` times after one to warm up. */
export async function measureKill(
  { service, peer, say }: Bench,
  subject: string,
  rounds: number,
  signal: AbortSignal,
): Promise<KillFigures> {
  const at = `/v1/subjects/${subject}`;
  const samples: Record<string, number>[] = [];
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    const beganAt = Date.now();
    const fault = await service.call<Fault>('POST', `${at}/faults`, signal, { chaos_type: 'node_kill', seed: round });
    const kill = performance.now() - began;
    if (fault.effect?.verdict !== 'confirmed') throw new Error(`a kill was not confirmed: ${JSON.stringify(fault.effect)}`);
    const healing = performance.now();
    const healed = await service.call<Fault>('DELETE', `${at}/faults/${fault.id}`, signal);
    const heal = performance.now() - healing;
    if (healed.heal?.verdict !== 'clean') throw new Error(`a heal was not clean: ${JSON.stringify(healed.heal)}`);

    const container = fault.targets[0]?.container ?? '';
    const cliKill = await peer.kill(container, signal);
    await peer.start(container, signal);
    const { healthy, issues } = await service.call<HealthView>('GET', `${at}/health?wait=healthy&timeout_ms=60000`, signal);
    if (!healthy) throw new Error(`${subject} was not healthy again: ${issues.join('; ')}`);
    const witnessed = witnessedAt(fault.effect) - beganAt;
    if (round > 0) samples.push({ kill, witnessed, observed: fault.effect.observed_ms, heal, cli_kill: cliKill });
  }
  const { kill = [], witnessed = [], observed = [], heal = [], cli_kill = [] } = columns(samples);
  const figures = {
    subject,
    kill: summarize(kill),
    witnessed: summarize(witnessed),
    observed: summarize(observed),
    heal: summarize(heal),
    cli_kill: summarize(cli_kill),
    samples,
  };
  const ms = ({ p50, p95 }: Summary) => `p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`;
  say(`node_kill, ${rounds} times: witnessed ${ms(figures.witnessed)}; answered ${ms(figures.kill)}`);
  return figures;
}
