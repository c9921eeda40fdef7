import { measureAlternatives } from './measure/alternatives.ts';
import { measureDelays } from './measure/delay.ts';
import { measureInjections } from './measure/injections.ts';
import type { StudyName } from './options.ts';
import { alternativesMarkdown } from './report/alternatives.ts';
import { delayMarkdown } from './report/delay.ts';
import { faultsMarkdown } from './report/faults.ts';
import { truthMarkdown } from './report/truth.ts';
import type { StudyKind } from './study.ts';
import { measureTruth } from './truth/truth.ts';

/** Visits the studies of these names, one after the other. */
export async function eachStudy(names: readonly string[], visit: <T>(study: StudyKind<T>) => Promise<void>): Promise<void> {
  const wanted = (name: StudyName) => names.includes(name);
  if (wanted('faults')) await visit({ name: 'faults', file: 'faults', measure: measureInjections, markdown: faultsMarkdown });
  if (wanted('delay-accuracy')) await visit({ name: 'delay-accuracy', file: 'delay', measure: measureDelays, markdown: delayMarkdown });
  if (wanted('alternatives'))
    await visit({ name: 'alternatives', file: 'alternatives', measure: measureAlternatives, markdown: alternativesMarkdown });
  if (wanted('truth')) await visit({ name: 'truth', file: 'truth', measure: measureTruth, markdown: truthMarkdown });
}
