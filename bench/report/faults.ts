import type { TypeFigures } from '../measure/injections.ts';
import type { Summary } from '../stats.ts';
import type { Study } from '../study.ts';
import { studyMarkdown } from './study.ts';
import { table } from './table.ts';
import { time } from './text.ts';

/** Each chaos type on each subject: times, verdicts, and which goals are missed. */
export function faultsMarkdown(study: Study<TypeFigures[]>): string {
  const measured = study.figures.filter(({ unavailable }) => unavailable === null);
  const absent = study.figures.filter(({ unavailable }) => unavailable !== null);
  const missed = measured.filter(({ goal_ms, witnessed }) => goal_ms !== null && witnessed !== null && witnessed.p95 >= goal_ms);
  const errors = measured.flatMap(({ subject, chaos_type, errors: texts }) =>
    texts.map((text) => `- ${subject}, \`${chaos_type}\`: ${text}`),
  );
  return studyMarkdown(
    'Chaos types, how fast',
    study,
    [
      'Over HTTP, one at a time, one node each; as p50 (p95). From the request to the moment at which the effect was witnessed (`evidence` is the part of it from the first act on), to the answer that says so and has seen it last, and to the answer that says `clean` (`undo` is the part of it until the undo steps were done).',
      '',
      ...table(
        [
          'subject',
          'chaos type',
          'mechanism',
          'request to witnessed',
          'evidence',
          'goal p95',
          'to answered',
          'request to clean',
          'undo',
          'verdicts',
          'heals',
          'guarded',
        ],
        measured.map((f) => [
          f.subject,
          `\`${f.chaos_type}\`${Object.keys(f.params).length === 0 ? '' : ` ${shown(f.params)}`}`,
          f.mechanism ?? '–',
          cell(f.witnessed),
          cell(f.observed),
          goal(f),
          cell(f.answered),
          cell(f.healed),
          cell(f.undone),
          counts(f.verdicts),
          counts(f.heals),
          `${f.guarded}/${f.rounds}`,
        ]),
        3,
      ),
      '',
      missed.length === 0
        ? 'All goals are met.'
        : `Goals missed: ${missed.map(({ subject, chaos_type, witnessed, goal_ms }) => `\`${chaos_type}\` on ${subject} (${time(witnessed?.p95 ?? 0)}, goal ${goal_ms} ms)`).join(', ')}.`,
      ...(absent.length === 0
        ? []
        : [
            '',
            `Not to be had here: ${absent.map(({ subject, chaos_type, unavailable }) => `\`${chaos_type}\` on ${subject} (${unavailable})`).join('; ')}.`,
          ]),
      ...(errors.length === 0 ? [] : ['', 'Errors:', '', ...errors]),
    ],
    'faults',
  );
}

function goal({ goal_ms, witnessed }: TypeFigures): string {
  if (goal_ms === null) return '';
  return `${goal_ms} ms${witnessed !== null && witnessed.p95 >= goal_ms ? ', **missed**' : ''}`;
}

function cell(summary: Summary | null): string {
  return summary === null ? '–' : `${time(summary.p50)} (${time(summary.p95)})`;
}

const shown = (params: Record<string, unknown>) =>
  Object.entries(params)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');

/** `10 confirmed, 1 error`; nothing is said of what did not happen. */
function counts(of: Record<string, number>): string {
  return Object.entries(of)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name.replace('_', ' ')}`)
    .join(', ');
}
