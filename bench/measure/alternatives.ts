import type { SubjectView } from '../../src/control/api.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { handMade } from '../byhand.ts';
import { kindsEnv } from '../names.ts';
import { Peer } from '../peer.ts';
import { roundTrips } from '../redis_ping.ts';
import { type Service, withService } from '../service.ts';
import { percentile, type Ratios, ratios, type Summary, summarize } from '../stats.ts';
import type { Bench } from '../study.ts';
import { Toxiproxy, toxiproxyVersion } from '../toxiproxy.ts';

const delayMs = 50;
const pings = 100;
const at = '/v1/subjects/trio';
const target = { node: 'cell0' };

/** One way of doing something beside subjectd's. All times in milliseconds. */
export interface Alternative {
  title: string;
  /** What is timed, and what its answer proves. */
  ours: { what: string; proves: string; times: Summary };
  /** `failure`: what a user gets here instead of the fault; `times` are null then. */
  theirs: { what: string; proves: string; times: Summary | null; failure: string | null };
  /** How many times longer subjectd takes: it measures, they do not. Null when there is nothing to compare. */
  ratio: Ratios | null;
}

/** Round trips of a client, the median without any delay taken off. */
export interface DelaySeen {
  by: string;
  asked_ms: number;
  direct_p50: number;
  added: Summary;
}

export interface AlternativeFigures {
  lines: Alternative[];
  delays: DelaySeen[];
  toxiproxy: { version: string; problem: string | null };
}

interface Way {
  title: string;
  ours: Omit<Alternative['ours'], 'times'> & { request: Record<string, unknown> };
  theirs: Omit<Alternative['theirs'], 'times' | 'failure'>;
  /** Does it and takes it back; answers the time of doing it. */
  run(): Promise<number>;
}

/** What a user would do instead, beside subjectd, in turn. */
export async function measureAlternatives({ engine, options, say }: Bench, signal: AbortSignal): Promise<AlternativeFigures> {
  const peer = await Peer.start(engine, [], {}, signal);
  const hand = await handMade(engine, signal);
  return withService(kindsEnv(), signal, async (service) => {
    await service.call('POST', `${at}/reset`, signal, {});
    const { nodes } = await service.call<SubjectView>('GET', at, signal);
    const cell = nodes.find(({ name }) => name === target.node);
    const redis = (await engine.inspectContainer(cell?.container_id ?? '', signal))?.networks[0]?.ipv4 ?? null;
    if (cell === undefined || redis === null) throw new Error('the node has no address');
    const toxi = await Toxiproxy.start(`${redis}:6379`, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return error instanceof Error ? error.message : String(error);
    });
    try {
      const lines: Alternative[] = [];
      for (const way of ways(service, peer, hand, cell.container, toxi, signal)) {
        lines.push(await side(way, service, options.injections, signal));
        const { theirs, ratio } = lines.at(-1) as Alternative;
        say(`${way.title}: ${theirs.failure ?? `${theirs.times?.p50.toFixed(0)} ms, subjectd takes ${ratio?.p50.toFixed(1)} times that`}`);
      }
      const delays = await delaysSeen(service, redis, toxi, signal);
      return { lines, delays, toxiproxy: { version: toxiproxyVersion, problem: typeof toxi === 'string' ? toxi.slice(0, 500) : null } };
    } finally {
      if (typeof toxi !== 'string') await toxi.stop();
      await service.call('DELETE', at, signal);
    }
  });
}

function ways(
  service: Service,
  peer: Peer,
  hand: { node: string; peer: string },
  container: string,
  toxi: Toxiproxy | string,
  signal: AbortSignal,
): Way[] {
  const exec = (...argv: string[]) => peer.run(['docker', 'exec', hand.node, ...argv], signal);
  const rule = (chain: string, side: string, verb: string) => ['iptables', verb, chain, side, hand.peer, '-j', 'DROP'];
  const kill = {
    what: 'POST …/faults node_kill',
    proves: 'dead since the act, with code 137, and still so a moment later',
    request: { chaos_type: 'node_kill' },
  };
  const healthy = async () => {
    await peer.start(container, signal);
    await service.call('GET', `${at}/health?wait=healthy&timeout_ms=60000`, signal);
  };
  return [
    {
      title: 'kill a node',
      ours: kill,
      theirs: { what: '`docker kill`', proves: 'nothing: the engine took the signal' },
      run: async () => {
        const took = await peer.run(['docker', 'kill', container], signal);
        await healthy();
        return took;
      },
    },
    {
      title: 'kill a node and see it dead',
      ours: kill,
      theirs: { what: '`docker kill`, `docker inspect` until exited', proves: 'that it is dead at one moment' },
      run: async () => {
        const took = await peer.kill(container, signal);
        await healthy();
        return took;
      },
    },
    {
      title: 'cut a node off',
      ours: {
        what: 'POST …/faults network_partition (two peers, two networks, IPv4 and IPv6)',
        proves: 'no packet passes in any direction, all others do',
        request: { chaos_type: 'network_partition' },
      },
      theirs: {
        what: '`docker exec node iptables -A …`, twice (one peer, IPv4; needs iptables in the image and NET_ADMIN)',
        proves: 'nothing: the rules were accepted; gone only if the same client takes them back',
      },
      run: async () => {
        const took = (await exec(...rule('OUTPUT', '-d', '-A'))) + (await exec(...rule('INPUT', '-s', '-A')));
        await exec(...rule('OUTPUT', '-d', '-D'));
        await exec(...rule('INPUT', '-s', '-D'));
        return took;
      },
    },
    {
      title: `delay a node by ${delayMs} ms`,
      ours: latency,
      theirs: {
        what: '`docker exec node tc qdisc add … netem` (needs iproute2 in the image, NET_ADMIN and the kernel’s netem)',
        proves: 'nothing: the qdisc was accepted',
      },
      run: async () => {
        const took = await exec('tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'netem', 'delay', `${delayMs}ms`);
        await exec('tc', 'qdisc', 'del', 'dev', 'eth0', 'root');
        return took;
      },
    },
    {
      title: `delay a node’s answers to one client by ${delayMs} ms`,
      ours: latency,
      theirs: {
        what: 'toxiproxy, `POST /proxies/redis/toxics`',
        proves:
          'nothing: the toxic is set. Only for TCP connections through the proxy: each client must be pointed at it, and what the nodes say to each other, and UDP, pass it by',
      },
      run: async () => {
        if (typeof toxi === 'string') throw new Error(`toxiproxy could not be had: ${toxi.slice(0, 300)}`);
        const took = await toxi.call('POST', '/proxies/redis/toxics', signal, toxic);
        await toxi.call('DELETE', '/proxies/redis/toxics/late', signal);
        return took;
      },
    },
  ];
}

const toxic = { name: 'late', type: 'latency', stream: 'downstream', attributes: { latency: delayMs, jitter: 0 } };
const latency = {
  what: 'POST …/faults latency',
  proves: 'packets come later by what was asked, beside a pair that is not touched',
  request: { chaos_type: 'latency', params: { delay_ms: delayMs } },
};

async function side(way: Way, service: Service, rounds: number, signal: AbortSignal): Promise<Alternative> {
  const ours: number[] = [];
  const theirs: number[] = [];
  let failure: string | null = null;
  for (let round = 0; round <= rounds; round++) {
    ours.push(await bySubjectd(service, way.ours.request, signal));
    if (failure !== null) continue;
    try {
      theirs.push(await way.run());
    } catch (error) {
      signal.throwIfAborted();
      failure = error instanceof Error ? error.message.slice(0, 400) : String(error);
    }
  }
  const mine = summarize(ours.slice(1));
  const others = failure === null ? summarize(theirs.slice(1)) : null;
  const { request: _, ...what } = way.ours;
  return {
    title: way.title,
    ours: { ...what, times: mine },
    theirs: { ...way.theirs, times: others, failure },
    ratio: others === null ? null : ratios(mine, others),
  };
}

async function bySubjectd(service: Service, request: Record<string, unknown>, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  const fault = await service.call<Fault>('POST', `${at}/faults`, signal, { ...request, target });
  const took = performance.now() - began;
  const healed = await service.call<Fault>('DELETE', `${at}/faults/${fault.id}`, signal);
  if (fault.effect?.verdict !== 'confirmed' || healed.heal?.verdict !== 'clean')
    throw new Error(`not confirmed and clean: ${JSON.stringify({ effect: fault.effect, heal: healed.heal })}`);
  return took;
}

/** What a client of the Redis sees of a delay, by subjectd and by toxiproxy. */
async function delaysSeen(service: Service, redis: string, toxi: Toxiproxy | string, signal: AbortSignal): Promise<DelaySeen[]> {
  const seen = async (by: string, host: string, port: number, on: () => Promise<() => Promise<unknown>>): Promise<DelaySeen> => {
    const direct = percentile(await roundTrips(host, port, pings, signal), 50);
    const off = await on();
    const added = summarize((await roundTrips(host, port, pings, signal)).map((ms) => ms - direct));
    await off();
    return { by, asked_ms: delayMs, direct_p50: direct, added };
  };
  const ours = await seen('subjectd', redis, 6379, async () => {
    const fault = await service.call<Fault>('POST', `${at}/faults`, signal, { ...latency.request, target });
    return () => service.call('DELETE', `${at}/faults/${fault.id}`, signal);
  });
  if (typeof toxi === 'string') return [ours];
  const theirs = await seen('toxiproxy', '127.0.0.1', toxi.port, async () => {
    await toxi.call('POST', '/proxies/redis/toxics', signal, toxic);
    return () => toxi.call('DELETE', '/proxies/redis/toxics/late', signal);
  });
  return [ours, theirs];
}
