import { colour, labelEnd, line, margin, plotStart, rect, scale, text, width } from './draw.ts';
import type { Results } from './results.ts';
import { caveat, machineLine, mebibytes, time, times } from './text.ts';

const rowHeight = 26;
const barHeight = 15;

/** One bar up to `value`, and a whisker up to `high`. */
interface Bar {
  label: string;
  value: number;
  high: number;
  fill: string;
}

interface Panel {
  title: string;
  /** What bar and whisker are. */
  legend: string;
  groups: { title: string | null; bars: Bar[] }[];
  axis: { unit: 's' | 'ms'; goal?: { at: number; text: string } };
}

/** The results as a picture: bars for p50, whiskers for p95 (p99 for health), one scale a panel. */
export function svg(results: Results): string {
  const out: string[] = [];
  let y = margin + 20;
  out.push(text(margin, y, 'subjectd: how fast', { size: 20, weight: 600 }));
  const warning = caveat(results);
  if (warning !== null) {
    y += 20;
    out.push(text(margin, y, warning, { size: 12, fill: colour.alarm }));
  }
  for (const panel of panels(results)) {
    const drawn = drawPanel(panel, y + 34);
    out.push(...drawn.parts);
    y = drawn.end;
  }
  const phases = drawPhases(results, y + 34);
  out.push(...phases.parts);
  y = phases.end;
  for (const line of footer(results)) {
    y += 18;
    out.push(text(margin, y, line, { size: 11, fill: colour.soft }));
  }
  const height = y + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'DejaVu Sans', sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...out,
    '</svg>',
    '',
  ].join('\n');
}

function panels({ reset, kill: killed, health }: Results): Panel[] {
  const list: Panel[] = [];
  if (reset !== null) {
    list.push({
      title: 'Reset of a running system to a clean, healthy one',
      legend: 'bar p50, whisker p95',
      axis: { unit: 's' },
      groups: reset.map(({ title, subjectd, compose, ratio, ratio_to_proven }) => ({
        title: `${title}: ${times(ratio.p50)} as fast, ${times(ratio_to_proven.p50)} until proven healthy`,
        bars: [
          { label: 'subjectd, proven healthy', value: subjectd.total.p50, high: subjectd.total.p95, fill: colour.ours },
          { label: 'Compose, down -v + up -d --wait', value: compose.total.p50, high: compose.total.p95, fill: colour.theirs },
          { label: 'Compose, until proven healthy', value: compose.proven.p50, high: compose.proven.p95, fill: colour.proven },
        ],
      })),
    });
  }
  if (killed !== null) {
    const { subject, kill, witnessed, cli_kill } = killed;
    list.push({
      title: `Kill of a ${subject} node`,
      legend: 'bar p50, whisker p95',
      axis: { unit: 'ms', goal: { at: 250, text: 'goal for p95' } },
      groups: [
        {
          title: null,
          bars: [
            { label: 'subjectd, request to witnessed', value: witnessed.p50, high: witnessed.p95, fill: colour.ours },
            { label: 'subjectd, to the answer', value: kill.p50, high: kill.p95, fill: colour.ours },
            { label: 'docker kill + inspect until exited', value: cli_kill.p50, high: cli_kill.p95, fill: colour.theirs },
          ],
        },
      ],
    });
  }
  if (health !== null) {
    const { even, rate, bursts } = health;
    list.push({
      title: `Health from the poller at ${rate} requests a second`,
      legend: 'bar p50, whisker p99',
      axis: { unit: 'ms', goal: { at: 5, text: 'goal for p99' } },
      groups: [
        {
          title: null,
          bars: [
            { label: 'at an even rate', value: even.p50, high: even.p99, fill: colour.ours },
            { label: "in autocannon's bursts", value: bursts.p50, high: bursts.p99, fill: colour.proven },
          ],
        },
      ],
    });
  }
  return list;
}

function drawPanel({ title, legend, groups, axis }: Panel, top: number): { parts: string[]; end: number } {
  const parts = [
    text(margin, top, title, { size: 15, weight: 600 }),
    text(width - margin, top, legend, { size: 11, fill: colour.soft, anchor: 'end' }),
  ];
  const highest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ high }) => high)), axis.goal?.at ?? 0);
  const { x, ticks } = scale(highest, axis.unit);
  const rows: string[] = [];
  let y = top + 14;
  for (const group of groups) {
    if (group.title !== null) {
      y += 18;
      rows.push(text(margin, y, group.title, { size: 13 }));
      y += 6;
    }
    for (const bar of group.bars) {
      rows.push(...drawBar(bar, y, x));
      y += rowHeight;
    }
  }
  const bottom = y + 2;
  parts.push(
    ...ticks.flatMap(({ at, label }) => [
      line(x(at), top + 12, x(at), bottom, colour.grid),
      text(x(at), bottom + 13, label, { size: 11, fill: colour.soft, anchor: 'middle' }),
    ]),
  );
  if (axis.goal !== undefined) {
    parts.push(line(x(axis.goal.at), top + 12, x(axis.goal.at), bottom, colour.alarm, 'stroke-dasharray="3 3"'));
    parts.push(text(x(axis.goal.at) + 4, top + 18, axis.goal.text, { size: 10, fill: colour.alarm }));
  }
  return { parts: [...parts, ...rows], end: bottom + 16 };
}

function drawBar({ label, value, high, fill }: Bar, top: number, x: (value: number) => number): string[] {
  const middle = top + rowHeight / 2;
  return [
    text(labelEnd, middle + 4, label, { size: 12, anchor: 'end' }),
    rect(plotStart, middle - barHeight / 2, Math.max(1, x(value) - plotStart), barHeight, fill),
    line(x(value), middle, x(high), middle, colour.ink),
    line(x(high), middle - 4, x(high), middle + 4, colour.ink),
    text(x(high) + 6, middle + 4, `${time(value)} (${time(high)})`, { size: 11, fill: colour.soft }),
  ];
}

/** Where the time of a reset goes: one stacked bar a system, of each phase's p50. */
function drawPhases({ reset }: Results, top: number): { parts: string[]; end: number } {
  if (reset === null) return { parts: [], end: top - 34 };
  const names = [...new Set(reset.flatMap(({ subjectd }) => Object.keys(subjectd.phases)))];
  const fill = (name: string) => colour.phases[names.indexOf(name) % colour.phases.length] ?? colour.ours;
  const sums = reset.map(({ subjectd }) => Object.values(subjectd.phases).reduce((sum, { p50 }) => sum + p50, 0));
  const { x, ticks } = scale(Math.max(...sums), 's');
  const parts = [text(margin, top, 'Phases of a subjectd reset', { size: 15, weight: 600 })];
  let legendAt = width - margin;
  for (const name of names.toReversed()) {
    parts.push(text(legendAt, top, name, { size: 11, fill: colour.soft, anchor: 'end' }));
    legendAt -= name.length * 6.5 + 14;
    parts.push(rect(legendAt, top - 9, 9, 9, fill(name)));
    legendAt -= 12;
  }
  let y = top + 14;
  const rows: string[] = [];
  for (const { title, subjectd } of reset) {
    let from = 0;
    rows.push(text(labelEnd, y + rowHeight / 2 + 4, title, { size: 12, anchor: 'end' }));
    for (const [name, { p50 }] of Object.entries(subjectd.phases)) {
      const wide = x(from + p50) - x(from);
      rows.push(rect(x(from), y + (rowHeight - barHeight) / 2, wide, barHeight, fill(name)));
      if (wide > 44) rows.push(text(x(from) + wide / 2, y + rowHeight / 2 + 4, time(p50), { size: 10, fill: '#ffffff', anchor: 'middle' }));
      from += p50;
    }
    y += rowHeight;
  }
  const grid = ticks.flatMap(({ at, label }) => [
    line(x(at), top + 12, x(at), y + 2, colour.grid),
    text(x(at), y + 15, label, { size: 11, fill: colour.soft, anchor: 'middle' }),
  ]);
  return { parts: [...parts, ...grid, ...rows], end: y + 18 };
}

function footer(results: Results): string[] {
  const { reset, kill, memory, options, made_at } = results;
  const facts = [
    ...(kill === null ? [] : [`heal of that node, request to proven healthy: p50 ${time(kill.heal.p50)}, p95 ${time(kill.heal.p95)}`]),
    ...(memory === null ? [] : [`resident memory with ${memory.subjects.length} subjects up: ${mebibytes(memory.at_the_end)}`]),
  ];
  const [hardware, software] = machineLine(results).split('; ');
  return [
    '',
    ...(facts.length === 0 ? [] : [facts.join('; ')]),
    hardware ?? '',
    `${software ?? ''}. Measured ${made_at.slice(0, 10)}${reset === null ? '' : `, ${options.rounds} rounds of each reset, subjectd and Compose in turn`}.`,
  ];
}
