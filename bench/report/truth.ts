import type { Study } from '../study.ts';
import type { TruthFigures, TruthOutcome } from '../truth/truth.ts';
import { studyMarkdown } from './study.ts';
import { table } from './table.ts';

const doneWords = {
  real: 'real: what was asked for was done',
  placebo: 'placebo: nothing was done, and its answer was success',
  sabotaged: 'sabotaged: done, undone by somebody before the service looked, and again and again',
};
const undoneWords = {
  real: 'real: the undo was done',
  withheld: 'withheld: nothing was done, and its answer was success',
  put_back: 'put back: undone, and the fault put back at once',
  failing: 'failing: the undo ended with an error',
};

/** What was said of each run against what was really done. */
export function truthMarkdown(study: Study<TruthFigures>): string {
  const { seed, runs, effects, heals, false_confirmed, false_clean, misses, heal_misses } = study.figures;
  const odd = runs.filter((run) => isOdd(run));
  return studyMarkdown(
    'Verdicts against what was really done',
    study,
    [
      `${runs.length} runs with every core busy, seed ${seed}. **${false_confirmed} false \`confirmed\`, ${false_clean} false \`clean\`**; ${misses} real faults were not confirmed, ${heal_misses} real heals did not end clean.`,
      '',
      ...table(
        ['what was done', 'confirmed', 'not observed', 'inconclusive', 'error'],
        Object.entries(effects).map(([done, n]) => [
          doneWords[done as keyof typeof doneWords],
          ...[n.confirmed, n.not_observed, n.inconclusive, n.error].map(String),
        ]),
      ),
      '',
      ...table(
        ['how it was undone', 'clean', 'dirty', 'unknown', 'error'],
        Object.entries(heals).map(([undone, n]) => [
          undoneWords[undone as keyof typeof undoneWords],
          ...[n.clean, n.dirty, n.unknown, n.error].map(String),
        ]),
      ),
      '',
      'After each `clean` all nodes and volumes were looked at past the service: by the engine’s word that they run, and by the toolbox’s audit for anything of any fault. A heal that was not clean was done again with nobody in its way.',
      '',
      ...table(['chaos type', 'real, confirmed', 'placebo, confirmed', 'sabotaged, confirmed', 'inconclusive'], byType(runs)),
      ...(odd.length === 0 ? [] : ['', 'Not as it should be:', '', ...odd.map(described)]),
    ],
    `truth --runs ${runs.length} --seed ${seed}`,
  );
}

function byType(runs: readonly TruthOutcome[]): string[][] {
  return [...new Set(runs.map(({ chaos_type }) => chaos_type))].sort().map((name) => {
    const of = (done: string) => runs.filter((run) => run.chaos_type === name && run.done === done);
    const share = (done: string) =>
      of(done).length === 0 ? '–' : `${of(done).filter(({ answer }) => answer === 'confirmed').length} of ${of(done).length}`;
    const unclear = runs.filter((run) => run.chaos_type === name && run.answer === 'inconclusive').length;
    return [`\`${name}\``, share('real'), share('placebo'), share('sabotaged'), String(unclear)];
  });
}

function isOdd({ done, answer, undone, healed, left, left_again }: TruthOutcome): boolean {
  const missed = done === 'real' ? answer !== 'confirmed' : answer === 'confirmed' || answer === 'error';
  const ended = undone === 'real' ? healed !== 'clean' : healed === 'clean';
  return missed || ended || left.length > 0 || left_again.length > 0;
}

function described({ chaos_type, params, done, answer, undone, healed, left, left_again, detail }: TruthOutcome): string {
  const found = [...left, ...left_again];
  const rest = found.length === 0 ? '' : `; left: ${found.join('; ')}`;
  return `- \`${chaos_type}\` ${JSON.stringify(params)}, ${done}: ${answer}; heal ${undone}: ${healed ?? 'none'}${rest}${detail === null ? '' : `: ${detail.slice(0, 600)}`}`;
}
