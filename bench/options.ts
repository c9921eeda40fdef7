import { parseArgs } from 'node:util';

/** What makes up `latest.json`. */
export const SPEED_PARTS = ['reset', 'kill', 'health', 'memory'] as const;
/** Each has results of its own. */
export const STUDIES = ['faults', 'delay-accuracy', 'alternatives', 'truth'] as const;
export const PARTS = [...SPEED_PARTS, ...STUDIES] as const;
export type SpeedPart = (typeof SPEED_PARTS)[number];
export type StudyName = (typeof STUDIES)[number];
export type Part = (typeof PARTS)[number];

export interface Options {
  parts: Part[];
  /** Measured rounds of reset, after one to warm up. */
  rounds: number;
  /** Rounds of kill and heal. */
  kills: number;
  /** Length of each load, in seconds. */
  seconds: number;
  /** Measured rounds of each chaos type and of each alternative, after one to warm up. */
  injections: number;
  /** Runs of the truth table. */
  runs: number;
  /** Of the truth table; null: made at random, and printed. */
  seed: number | null;
  /** Where the results go; null: to the committed ones after a whole run, else where they are not mistaken for those. */
  out: string | null;
}

export const usage = `npm run bench -- [--rounds N] [--kills N] [--seconds N] [--injections N] [--runs N] [--seed N] [--only PART]... [--out FOLDER]

  --rounds N    measured rounds of each reset, after one to warm up (9)
  --kills N     rounds of node_kill and heal (20)
  --seconds N   length of each load on health (20)
  --injections N  rounds of each chaos type and of each alternative, after one to warm up (10)
  --runs N      runs of the truth table (210)
  --seed N      seed of the truth table; without it one is made, and printed
  --only PART   ${PARTS.join(', ')}; may be given several times, or with commas
  --out FOLDER  bench/results for what was measured in full, .cache/bench for the rest`;

const whole = { rounds: 9, kills: 20, seconds: 20, injections: 10, runs: 210 };

/** Reads the command line; throws an Error with one sentence. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string' },
      kills: { type: 'string' },
      seconds: { type: 'string' },
      injections: { type: 'string' },
      runs: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string', multiple: true },
      out: { type: 'string' },
    },
  });
  const count = (name: keyof typeof whole): number => {
    const text = values[name] ?? String(whole[name]);
    if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`--${name} must be a whole number from 1 to 9999, not ${JSON.stringify(text)}.`);
    return Number(text);
  };
  const named = (values.only ?? []).flatMap((list) => list.split(','));
  const unknown = named.filter((name) => !PARTS.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(', ')} is not known. Parts: ${PARTS.join(', ')}.`);
  return {
    parts: named.length === 0 ? [...PARTS] : PARTS.filter((part) => named.includes(part)),
    rounds: count('rounds'),
    kills: count('kills'),
    seconds: count('seconds'),
    injections: count('injections'),
    runs: count('runs'),
    seed: seed(values.seed),
    out: values.out ?? null,
  };
}

function seed(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,15}$/.test(text)) throw new Error(`--seed must be a whole number of up to 15 digits, not ${JSON.stringify(text)}.`);
  return Number(text);
}

/** True when nothing of `latest.json` was left out or cut short, so that its figures may stand for the project. */
export function isWhole({ parts, rounds, kills, seconds }: Options): boolean {
  return SPEED_PARTS.every((part) => parts.includes(part)) && rounds >= whole.rounds && kills >= whole.kills && seconds >= whole.seconds;
}

/** The same for one of the studies. */
export function isWholeStudy(study: StudyName, { injections, runs }: Options): boolean {
  return study === 'truth' ? runs >= whole.runs : injections >= whole.injections;
}
