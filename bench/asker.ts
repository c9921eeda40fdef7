import autocannon from 'autocannon';
import { prioritize } from '../src/priority.ts';
import { type Load, openLoop } from './load.ts';

/** What the asker is told, as one JSON argument. */
export interface Asking {
  url: string;
  /** Requests per second. */
  rate: number;
  seconds: number;
  warmUpSeconds: number;
  connections: number;
}

/** What it prints, as one JSON line. */
export interface Asked extends Load {
  bursts: { p50: number; p99: number; max: number; requests: number; failed: number };
}

/** The priority that the service has by default: a clock that waits for the CPU measures its own wait. */
const nice = -10;

/** Asks at an even pace, first without looking at the answers' times, and then in autocannon's bursts. A program of its own: see `measureHealth`. */
async function main(): Promise<void> {
  try {
    prioritize(nice);
  } catch (error) {
    console.error(`the load has no right to nice ${nice} (${(error as Error).message}): its own wait for the CPU is in the figures`);
  }
  const { url, seconds, warmUpSeconds, rate, connections } = JSON.parse(process.argv[2] ?? '') as Asking;
  const { signal } = new AbortController();
  if (warmUpSeconds > 0) await openLoop(url, { rate, seconds: warmUpSeconds, connections }, signal);
  const load = await openLoop(url, { rate, seconds, connections }, signal);
  const { latency, requests, errors, timeouts, non2xx } = await autocannon({ url, connections, overallRate: rate, duration: seconds });
  const { p50, p99, max } = latency;
  const asked: Asked = { ...load, bursts: { p50, p99, max, requests: requests.total, failed: errors + timeouts + non2xx } };
  process.stdout.write(`${JSON.stringify(asked)}\n`);
}

await main();
