import { performance } from 'node:perf_hooks';
import { emptyTally, Load, line, readLoadSettings, type Tally } from './load.ts';
import { Witness } from './witness.ts';

/** Sends checks at a steady rate for a bounded time, prints one line of JSON a second and a last one for all. Ends with 2 when it proved a violation. */
async function main(): Promise<number> {
  const settings = readLoadSettings(process.env);
  const witness = new Witness(settings.limit, settings.windowMs);
  const load = new Load(settings, witness);
  const total = emptyTally();
  const started = performance.now();
  const print = () => {
    const tally = load.tally;
    load.tally = emptyTally();
    add(total, tally);
    console.log(line(new Date().toISOString(), tally));
  };

  let due = 0;
  await new Promise<void>((resolve) => {
    const pacer = setInterval(() => {
      const elapsed = Math.min(performance.now() - started, settings.durationSeconds * 1000);
      for (const until = Math.floor((elapsed * settings.ratePerSecond) / 1000); due < until; due += 1) load.send();
      if (elapsed >= settings.durationSeconds * 1000) stop();
    }, 5);
    const printer = setInterval(print, 1000);
    const stop = () => {
      clearInterval(pacer);
      clearInterval(printer);
      resolve();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
  await load.finish();
  print();
  console.log(line('total', total));
  return witness.violations > 0 ? 2 : 0;
}

function add(total: Tally, { latencies, ...counts }: Tally): void {
  for (const [name, count] of Object.entries(counts)) total[name as keyof typeof counts] += count;
  // Percentiles of the whole run are taken from a bounded part of it.
  if (total.latencies.length < 100_000) total.latencies.push(...latencies);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`loadgen: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
