import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

/**
 * Sends requests at an even rate whatever becomes of those before, and answers how long each took from the moment it was due (milliseconds): what a
 * stalled service lets wait is counted in full, so nothing is left to correct. The wait for a free connection and this process's own delays count too.
 */
export async function openLoop(
  url: string,
  options: { rate: number; seconds: number; connections: number },
  signal: AbortSignal,
): Promise<{ latencies: number[]; failed: number }> {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, { connections: options.connections, pipelining: 1 });
  const total = Math.round(options.rate * options.seconds);
  const latencies: number[] = [];
  let failed = 0;
  const ask = async (due: number) => {
    try {
      const { statusCode, body } = await pool.request({ method: 'GET', path: `${pathname}${search}` });
      await body.dump();
      if (statusCode !== 200) failed++;
    } catch {
      failed++;
    }
    latencies.push(performance.now() - due);
  };
  const asked: Promise<void>[] = [];
  try {
    const began = performance.now() + 10;
    while (asked.length < total) {
      signal.throwIfAborted();
      const now = performance.now();
      for (let due = began + (asked.length / options.rate) * 1000; due <= now && asked.length < total; ) {
        asked.push(ask(due));
        due = began + (asked.length / options.rate) * 1000;
      }
      await delay(1);
    }
    await Promise.all(asked);
  } finally {
    await pool.destroy();
  }
  return { latencies, failed };
}
