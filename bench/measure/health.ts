import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Asked, Asking } from '../asker.ts';
import { root } from '../names.ts';
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
  bursts: Asked['bursts'];
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
  const { latencies, lateness, failed, bursts } = await ask({ url, rate, seconds, warmUpSeconds, connections }, signal);
  const even = summarize(latencies);
  const late = summarize(lateness);
  say(
    `health at ${rate}/s for ${seconds} s, evenly: p50 ${even.p50.toFixed(2)} ms, p99 ${even.p99.toFixed(2)} ms, ${failed} failed; sent late by p50 ${late.p50.toFixed(2)} ms, p99 ${late.p99.toFixed(2)} ms`,
  );
  say(`health at ${rate}/s for ${seconds} s, in autocannon's bursts: p50 ${bursts.p50} ms, p99 ${bursts.p99} ms, ${bursts.failed} failed`);
  return { subject, rate, seconds, even, even_failed: failed, even_lateness: late, bursts };
}

/**
 * Runs the asker, a process that leads a session of its own: Linux shares the CPU out between sessions, so the asker's priority then counts against all of the
 * machine and is nobody else's. Rejects when it fails; ends it, and rejects with the signal's reason, when the signal aborts.
 */
export async function ask(asking: Asking, signal: AbortSignal): Promise<Asked> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'bench/asker.ts'), JSON.stringify(asking)], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const end = () => child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  try {
    const [said, [code, killed]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`the load ended with ${killed ?? code}`);
    return JSON.parse(said) as Asked;
  } finally {
    signal.removeEventListener('abort', end);
  }
}
