import autocannon from 'autocannon';
import { openLoop } from '../load.ts';
import type { Service } from '../service.ts';
import { type Summary, summarize } from '../stats.ts';

export interface HealthFigures {
  subject: string;
  rate: number;
  seconds: number;
  /** Milliseconds from the moment a request was due, at an even rate, to the end of its answer. */
  even: Summary;
  /** Requests that were answered by something else than 200, or not at all. */
  even_failed: number;
  /** How late the bench itself was to send them; a part of `even`. */
  even_lateness: Summary;
  /**
   * The same load by autocannon 8: each of its ten connections sends its share of a second at once and then waits for the next second. Its histogram has
   * whole milliseconds, and its correction for coordinated omission counts a request of n ms n times.
   */
  bursts: { p50: number; p99: number; max: number; requests: number; failed: number };
}

const rate = 500;
const connections = 10;
/** Of the same load before the figures: a service that has just started still compiles its code, and subjects that have just booted still settle. */
const warmUpSeconds = 30;

/** Asks for the health that the poller has, 500 times a second, at an even pace and then in autocannon's bursts. */
export async function measureHealth(
  { service, say }: { service: Service; say: (text: string) => void },
  subject: string,
  seconds: number,
  signal: AbortSignal,
): Promise<HealthFigures> {
  const url = `${service.url}/v1/subjects/${subject}/health`;
  await openLoop(url, { rate, seconds: warmUpSeconds, connections }, signal);
  const { latencies, lateness, failed } = await openLoop(url, { rate, seconds, connections }, signal);
  const even = summarize(latencies);
  const late = summarize(lateness);
  say(
    `health at ${rate}/s for ${seconds} s, evenly: p50 ${even.p50.toFixed(2)} ms, p99 ${even.p99.toFixed(2)} ms, ${failed} failed; sent late by p50 ${late.p50.toFixed(2)} ms, p99 ${late.p99.toFixed(2)} ms`,
  );
  const bursts = await byAutocannon(url, seconds, signal);
  say(`health at ${rate}/s for ${seconds} s, in autocannon's bursts: p50 ${bursts.p50} ms, p99 ${bursts.p99} ms, ${bursts.failed} failed`);
  return { subject, rate, seconds, even, even_failed: failed, even_lateness: late, bursts };
}

async function byAutocannon(url: string, seconds: number, signal: AbortSignal): Promise<HealthFigures['bursts']> {
  signal.throwIfAborted();
  const run = autocannon({ url, connections, overallRate: rate, duration: seconds });
  const stop = () => run.stop();
  signal.addEventListener('abort', stop, { once: true });
  const result = await run;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  const { p50, p99, max } = result.latency;
  return { p50, p99, max, requests: result.requests.total, failed: result.errors + result.timeouts + result.non2xx };
}
