import { parseArgs } from 'node:util';
import { type Case, mixed, nameOf, oneOfEach, type Plot, plots, shuffled } from './cases.ts';
import { Driver, type Result } from './driver.ts';

export interface Options {
  /** Only cases whose name begins with one of these (`latency`, `latency:inject`, `latency:inject:toolbox.arm#1:after`); all when empty. */
  only: readonly string[];
  /** Only cases at calls that match. */
  calls: RegExp;
  /** Only so many cases, chosen by the seed; null: all. */
  cases: number | null;
  seed: number;
  /** Cases to leave out at the begin, of a run that was cut off. */
  from: number;
  env: Record<string, string | undefined>;
  say: (line: string) => void;
  /** Stops after the case that runs. */
  signal: AbortSignal;
}

export interface Summary {
  ran: number;
  failed: Result[];
  /** What is not in this engine's kernel, and why. */
  leftOut: string[];
}

/** Finds the points of each operation, cuts the service off at them, and counts what went wrong. */
export async function runCrashes({ only, calls, cases, seed, from, env, say, signal }: Options): Promise<Summary> {
  const driver = await Driver.open(env);
  const summary: Summary = { ran: 0, failed: [], leftOut: [] };
  const took: number[] = [];
  let unreached = 0;
  try {
    const within = plots.filter(
      (p) => only.length === 0 || only.some((o) => `${nameOfPlot(p)}:`.startsWith(`${o}:`) || o.startsWith(`${nameOfPlot(p)}:`)),
    );
    const had: Plot[] = [];
    for (const plot of within) {
      const obstacle = await driver.obstacle(plot);
      if (obstacle === null) had.push(plot);
      else summary.leftOut.push(`${nameOfPlot(plot)}: ${obstacle}`);
    }
    for (const line of summary.leftOut) say(`not here: ${line}`);
    // Each plot costs a run to its end, which finds its points: a sample takes four of each that it takes.
    const ordered = cases === null ? had : mixed(shuffled(had, seed, nameOfPlot)).slice(0, Math.max(1, Math.ceil(cases / 4)));
    let number = 0;
    for (const [i, plot] of ordered.entries()) {
      if (signal.aborted) break;
      const found = await driver.cases(plot).catch((error: unknown) => {
        const wrong = [error instanceof Error ? error.message : String(error)];
        summary.failed.push({ name: nameOfPlot(plot), reached: true, tookMs: 0, recoveredMs: null, wrong });
        say(`${nameOfPlot(plot)}: its points could not be found: ${wrong.join('; ')}`);
        return [];
      });
      const wanted = found
        .filter((c) => only.length === 0 || only.some((o) => `${nameOf(c)}:`.startsWith(`${o}:`)))
        .filter((c) => calls.test(c.point.call));
      // Who names a call means that one.
      const all = only.some((o) => o.includes('#')) ? wanted : oneOfEach(wanted, seed);
      say(`${nameOfPlot(plot)}: ${found.filter((c) => c.point.when === 'before').length} calls, ${all.length} cases`);
      for (const one of chosen(all, seed, share(cases, ordered.length, i))) {
        if (number++ < from || signal.aborted) continue;
        const result = await driver.run(one);
        summary.ran++;
        took.push(result.tookMs);
        if (!result.reached) unreached++;
        if (result.wrong.length > 0) summary.failed.push(result);
        say(`${String(number).padStart(5)} ${line(result)}`);
      }
    }
  } finally {
    const left = await driver.close();
    if (left.length > 0) summary.failed.push({ name: 'tear-down', reached: true, tookMs: 0, recoveredMs: null, wrong: left });
  }
  took.sort((a, b) => a - b);
  say(
    `${summary.ran} crashes, ${summary.failed.length} left something behind${unreached === 0 ? '' : `, ${unreached} came after the operation's end`}; a case took ${took[Math.floor(took.length / 2)] ?? 0} ms (median), ${took.at(-1) ?? 0} ms (longest)`,
  );
  return summary;
}

/** How many cases of the plot are run, so that all plots come to the asked number together and each has its part. */
function share(cases: number | null, plotCount: number, index: number): number | null {
  return cases === null ? null : Math.floor(cases / plotCount) + (index < cases % plotCount ? 1 : 0);
}

function chosen(all: readonly Case[], seed: number, count: number | null): Case[] {
  return count === null ? [...all] : shuffled(all, seed, nameOf).slice(0, count);
}

function line({ name, reached, tookMs, recoveredMs, wrong }: Result): string {
  const end = wrong.length === 0 ? 'clean' : `NOT CLEAN\n      ${wrong.join('\n      ')}`;
  return `${name}${reached ? '' : ' (not reached; cut off after the end)'} ${tookMs} ms (recovery ${recoveredMs ?? '?'} ms) ${end}`;
}

const nameOfPlot = ({ chaosType, operation }: Plot): string => `${chaosType}:${operation}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      calls: { type: 'string' },
      seed: { type: 'string' },
      cases: { type: 'string' },
      from: { type: 'string' },
    },
  });
  const whole = (text: string | undefined, name: string): number | null => {
    if (text === undefined) return null;
    if (!/^\d+$/.test(text)) throw new Error(`--${name} must be a whole number, not ${JSON.stringify(text)}`);
    return Number(text);
  };
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => stop.abort());
  const summary = await runCrashes({
    only: values.only ?? [],
    calls: new RegExp(values.calls ?? ''),
    cases: whole(values.cases, 'cases'),
    seed: whole(values.seed, 'seed') ?? 1,
    from: whole(values.from, 'from') ?? 0,
    env: process.env,
    say: (text) => console.log(text),
    signal: stop.signal,
  });
  for (const { name, wrong } of summary.failed) console.log(`FAILED ${name}\n  ${wrong.join('\n  ')}`);
  process.exitCode = summary.failed.length > 0 || stop.signal.aborted ? 1 : 0;
}

if (import.meta.filename === process.argv[1]) await main();
