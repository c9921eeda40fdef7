import { type Ratios, ratios, type Summary } from '../stats.ts';
import type { Results } from './results.ts';
import { type Row, table } from './table.ts';
import { caveat, machineLine, mebibytes, time, times } from './text.ts';

/** The results as a small table with the machine below it. */
export function markdown(results: Results): string {
  const rows = [...resetRows(results), ...killRows(results), ...healthRows(results), ...memoryRows(results)];
  const warning = caveat(results);
  return [
    ...(warning === null ? [] : [`**${warning}**`, '']),
    ...table(['what', 'subjectd p50', 'p95', 'compared with', 'p50', 'p95', 'ratio p50', 'p95', 'mean'], rows),
    ...phaseTables(results),
    '',
    `${machineLine(results)}. Measured ${results.made_at.slice(0, 10)}, ${counts(results)}percentiles are nearest-rank. Repeat with \`npm run bench\`.`,
    '',
  ].join('\n');
}

function counts({ reset, kill, options }: Results): string {
  return [
    ...(reset === null ? [] : [`${options.rounds} rounds of each reset after one to warm up, subjectd and Compose in turn; `]),
    ...(kill === null ? [] : [`${options.kills} kills and heals; `]),
  ].join('');
}

function resetRows({ reset }: Results): Row[] {
  return (reset ?? []).flatMap(({ title, subjectd, compose, ratio, ratio_to_proven }) => {
    const fromNothing = ratios(compose.up, subjectd.from_nothing);
    return [
      [`reset of ${title}, proven healthy`, ...pair(subjectd.total), '`down -v` + `up -d --wait`', ...pair(compose.total), ...all(ratio)],
      ['', '', '', 'the same until proven healthy', ...pair(compose.proven), ...all(ratio_to_proven)],
      ['with nothing to burn', ...pair(subjectd.from_nothing), '`up -d --wait` alone', ...pair(compose.up), ...all(fromNothing)],
    ];
  });
}

function killRows({ kill: figures }: Results): Row[] {
  if (figures === null) return [];
  const { subject, kill, witnessed, heal, cli_kill } = figures;
  return [
    [`\`node_kill\` on ${subject}, request to witnessed`, ...pair(witnessed), '', '', '', '', '', ''],
    [
      `the same, to the answer that has seen it last`,
      ...pair(kill),
      '`docker kill`, `docker inspect` until exited',
      ...pair(cli_kill),
      ...all(ratios(cli_kill, kill)),
    ],
    [`heal on ${subject}, request to proven healthy`, ...pair(heal), '', '', '', '', '', ''],
  ];
}

function healthRows({ health }: Results): Row[] {
  if (health === null) return [];
  const { rate, even, even_failed, bursts } = health;
  const failures = (count: number) => (count === 0 ? '' : `, ${count} failed`);
  return [
    [`health from the poller at ${rate}/s${failures(even_failed)}`, time(even.p50), `p99 ${time(even.p99)}`, '', '', '', '', '', ''],
    [`the same in autocannon's bursts${failures(bursts.failed)}`, time(bursts.p50), `p99 ${time(bursts.p99)}`, '', '', '', '', '', ''],
  ];
}

function memoryRows({ memory }: Results): Row[] {
  if (memory === null) return [];
  const { subjects, at_the_end, peak } = memory;
  return [[`resident memory, ${subjects.join(', ')} up`, mebibytes(at_the_end), `peak ${mebibytes(peak)}`, '', '', '', '', '', '']];
}

function phaseTables({ reset }: Results): string[] {
  if (reset === null) return [];
  const names = [...new Set(reset.flatMap(({ subjectd }) => Object.keys(subjectd.phases)))];
  const cell = (part: Summary | undefined) => (part === undefined ? '' : `${time(part.p50)} (${time(part.p95)})`);
  return [
    '',
    ...table(
      ['phases of a reset, p50 (p95)', ...names],
      reset.map(({ title, subjectd }) => [title, ...names.map((name) => cell(subjectd.phases[name]))]),
    ),
    '',
    ...table(
      ['parts of Compose, p50 (p95)', '`down -v`', '`up -d --wait`', 'until proven healthy'],
      reset.map(({ title, compose }) => [title, cell(compose.down), cell(compose.up), cell(compose.after)]),
    ),
  ];
}

function all({ p50, p95, mean }: Ratios): [string, string, string] {
  return [times(p50), times(p95), times(mean)];
}

function pair({ p50, p95 }: Summary): [string, string] {
  return [time(p50), time(p95)];
}
