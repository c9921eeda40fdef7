import type { TypeFigures } from '../measure/injections.ts';
import type { Summary } from '../stats.ts';
import type { Study } from '../study.ts';
import { table } from './table.ts';
import { caveat, time } from './text.ts';

const begin = '<!-- chaos-types -->';
const end = '<!-- /chaos-types -->';

/** What each chaos type's witness goes by, in short. */
export const witnesses: Readonly<Record<string, string>> = {
  none: 'the target’s container is as it was before',
  node_kill: 'exited since the act with code 137, and still so 50 ms after the engine let go of it',
  node_crash: 'exited since the act with code 137, or restarted by its policy since',
  node_stop: 'exited since the act, and still so 50 ms after the engine let go of it',
  node_restart: 'it runs, and since a later time than before',
  node_pause: 'the freezer’s state, no CPU time used in 100 ms, and the engine’s word',
  latency: 'a UDP train out of the node is later than before by what was asked, beside a pair of nodes that is not touched',
  packet_loss: 'losses of a train of 240, by a binomial test against the train before and the untouched pair',
  bandwidth: 'a train at twice the rate arrives at the rate asked for, and came faster before',
  network_partition: 'trains in each direction: none passes where it is cut, all others do',
  disk_pressure: 'the filesystem’s own figures have risen by the file’s size',
  cpu_pressure: 'what spinners in the node’s group get, before and after, the group’s throttle counter, in doubt the quota file',
  memory_pressure: 'usage of the node’s memory group has risen by the ballast, up to the share of its limit',
  counter_drift: 'the counter’s forged entries, counted in Redis',
  redis_pause: 'as `node_pause`, on Redis',
};

/** Where it was measured, of those where it can be had: the first. */
function first(figures: readonly TypeFigures[], name: string): TypeFigures | undefined {
  const all = figures.filter(({ chaos_type }) => chaos_type === name);
  return all.find(({ unavailable }) => unavailable === null) ?? all[0];
}

/** The table of chaos types for the README: what each does, how and how fast on the machine of these results. */
export function chaosTypesTable(study: Study<TypeFigures[]>): string {
  const { figures, made_at, machine } = study;
  const warning = caveat(study);
  const names = [...new Set(figures.map(({ chaos_type }) => chaos_type))];
  const cell = (summary: Summary | null) => (summary === null ? '–' : `${time(summary.p50)} (${time(summary.p95)})`);
  const rows = names.flatMap((name) => {
    const found = first(figures, name);
    if (found === undefined) return [];
    const { summary, unavailable, mechanism, witnessed, answered, healed, subject } = found;
    const how = unavailable === null ? (mechanism ?? '–') : `not here (${unavailable.split(':')[0]})`;
    return [[`\`${name}\``, summary, how, witnesses[name] ?? '', subject, cell(witnessed), cell(answered), cell(healed)]];
  });
  const rounds = Math.max(0, ...figures.map((f) => f.rounds));
  return [
    ...table(
      ['name', 'does', 'mechanism here', 'witness', 'measured on', 'witnessed p50 (p95)', 'answered p50 (p95)', 'healed p50 (p95)'],
      rows,
      5,
    ),
    '',
    `From the request to the moment at which the effect was witnessed, to the answer that says so (what must also last is looked at again before), and to the answer that says \`clean\`; ${rounds} rounds each on ${machine.cores} cores, ${made_at.slice(0, 10)}, by \`npm run bench -- --only faults\`: [bench/results/faults.md](bench/results/faults.md) has all subjects, the verdicts and what the goals are.${warning === null ? '' : ` **${warning}**`}`,
    '',
  ].join('\n');
}

/** A text with this table between its two marks. Throws when it does not have them once each, in order. */
export function withChaosTypes(text: string, content: string): string {
  const { from, to } = between(text);
  return `${text.slice(0, from)}\n${content}${text.slice(to)}`;
}

/** What stands between the two marks now. */
export function chaosTypesIn(text: string): string {
  const { from, to } = between(text);
  return text.slice(from + 1, to);
}

function between(text: string): { from: number; to: number } {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from || text.includes(begin, from + 1) || text.includes(end, to + 1))
    throw new Error(`The text must have ${begin} and then ${end}, once each.`);
  return { from: from + begin.length, to };
}
