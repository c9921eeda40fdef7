import type { Study } from '../study.ts';
import { caveat, machineLine } from './text.ts';

/** A study's text between what a reader must know before and about the machine after. */
export function studyMarkdown(
  title: string,
  study: Pick<Study<unknown>, 'machine' | 'load_per_core' | 'whole' | 'made_at'>,
  lines: readonly string[],
  repeat: string,
): string {
  const warning = caveat(study);
  return [
    `# ${title}`,
    '',
    ...(warning === null ? [] : [`**${warning}**`, '']),
    ...lines,
    '',
    `${machineLine(study)}. Measured ${study.made_at.slice(0, 10)}. Percentiles are nearest-rank. Repeat with \`npm run bench -- --only ${repeat}\`.`,
    '',
  ].join('\n');
}
