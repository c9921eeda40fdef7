import type { AlternativeFigures } from '../measure/alternatives.ts';
import type { Summary } from '../stats.ts';
import type { Study } from '../study.ts';
import { studyMarkdown } from './study.ts';
import { table } from './table.ts';
import { time, times } from './text.ts';

const cell = (summary: Summary) => `${time(summary.p50)} (${time(summary.p95)})`;

/** What one would do instead, with what it proves. */
export function alternativesMarkdown(study: Study<AlternativeFigures>): string {
  const { lines, delays, toxiproxy } = study.figures;
  return studyMarkdown(
    'What one would do instead',
    study,
    [
      'In turn, in one run; p50 (p95). subjectd’s time is from the request to the answer that has the evidence; the docker command’s is taken inside the container that it runs in, toxiproxy’s is that of its API. The ratio says how many times as long subjectd takes.',
      '',
      ...table(
        ['what', 'subjectd', 'it proves', 'instead', 'time', 'it proves', 'ratio p50', 'p95', 'mean'],
        lines.map(({ title, ours, theirs, ratio }) => [
          title,
          cell(ours.times),
          ours.proves,
          theirs.what,
          theirs.times === null ? `fails: ${oneLine(theirs.failure ?? '')}` : cell(theirs.times),
          theirs.times === null ? '–' : theirs.proves,
          ...(ratio === null ? ['–', '–', '–'] : [times(ratio.p50), times(ratio.p95), times(ratio.mean)]),
        ]),
        6,
      ),
      '',
      ...table(
        ['delay that a client of the Redis sees', 'asked', 'without', 'added p50', 'p95', 'max'],
        delays.map(({ by, asked_ms, direct_p50, added }) => [
          by,
          `${asked_ms} ms`,
          time(direct_p50),
          ...[added.p50, added.p95, added.max].map((ms) => `${ms.toFixed(1)} ms`),
        ]),
      ),
      '',
      toxiproxy.problem === null
        ? `toxiproxy ${toxiproxy.version}, built from its Go module.`
        : `toxiproxy ${toxiproxy.version} could not be had: ${oneLine(toxiproxy.problem)}`,
    ],
    'alternatives',
  );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
