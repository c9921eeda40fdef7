import { parseArgs } from 'node:util';

export const PARTS = ['reset', 'faults', 'health', 'memory'] as const;
export type Part = (typeof PARTS)[number];

export interface Options {
  parts: Part[];
  /** Measured rounds of reset, after one to warm up. */
  rounds: number;
  /** Rounds of kill and heal. */
  kills: number;
  /** Length of each load, in seconds. */
  seconds: number;
  /** Where the results go; null: to the committed ones after a whole run, else where they are not mistaken for those. */
  out: string | null;
}

export const usage = `npm run bench -- [--rounds N] [--kills N] [--seconds N] [--only PART]... [--out FOLDER]

  --rounds N    measured rounds of each reset, after one to warm up (5)
  --kills N     rounds of node_kill and heal (20)
  --seconds N   length of each load on health (20)
  --only PART   ${PARTS.join(', ')}; may be given several times, or with commas
  --out FOLDER  bench/results after a whole run, .cache/bench after any other`;

const whole = { rounds: 5, kills: 20, seconds: 20 };

/** Reads the command line; throws an Error with one sentence. */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string' },
      kills: { type: 'string' },
      seconds: { type: 'string' },
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
    out: values.out ?? null,
  };
}

/** True when nothing was left out or cut short, so that the figures may stand for the project. */
export function isWhole({ parts, rounds, kills, seconds }: Options): boolean {
  return parts.length === PARTS.length && rounds >= whole.rounds && kills >= whole.kills && seconds >= whole.seconds;
}
