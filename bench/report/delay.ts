import type { DelayFigures } from '../measure/delay.ts';
import type { Study } from '../study.ts';
import { studyMarkdown } from './study.ts';
import { table } from './table.ts';

const ms = (value: number) => value.toFixed(1);

/** Asked against measured delay. */
export function delayMarkdown(study: Study<DelayFigures[]>): string {
  const missed = study.figures.filter(({ met }) => !met);
  return studyMarkdown(
    'Delay, asked and measured',
    study,
    [
      'One-way delays in milliseconds of UDP packets out of one node, by kernel time stamps, the median of the same packets without the fault taken off. The goal: the mean, and nine packets in ten, within 10 % or 2 ms of what was asked.',
      'A range is measured on as many flows as keep the packets of one flow 120 ms apart, since the order within a flow is kept.',
      '',
      ...table(
        ['asked', 'machine', 'mechanism', 'packets/s', 'flows', 'received', 'p5', 'p50', 'p95', 'p99', 'mean off by', 'within', 'goal'],
        study.figures.map((f) => [
          f.asked,
          f.load,
          f.mechanism,
          String(f.rate),
          String(f.flows),
          `${f.received}/${f.sent}`,
          ms(f.p5),
          ms(f.p50),
          ms(f.p95),
          ms(f.p99),
          `${f.off_ms < 0 ? '−' : '+'}${ms(Math.abs(f.off_ms))}`,
          `${ms(f.within_percent)} %`,
          `${ms(f.goal_ms)} ms, ${f.met ? 'met' : '**missed**'}`,
        ]),
        3,
      ),
      '',
      missed.length === 0
        ? 'The goal is met in all cases.'
        : `The goal is missed in ${missed.length} of ${study.figures.length} cases: ${missed.map((f) => `${f.asked} at ${f.rate}/s, ${f.load}`).join('; ')}.`,
    ],
    'delay-accuracy',
  );
}
