import { createHash } from 'node:crypto';
import type { OperationName } from './messages.ts';
import type { Call, CrashPoint } from './points.ts';

/** Chaos types that take part, each on the subject that has it, with parameters that show on a small system. */
export const chaosTypes: readonly { name: string; subject: string; params: Record<string, unknown>; target?: { node: string } }[] = [
  { name: 'none', subject: 'trio', params: {} },
  { name: 'node_kill', subject: 'trio', params: {} },
  // Its restart policy would end the fault at a third of the nodes, before it can be healed.
  { name: 'node_crash', subject: 'trio', params: {}, target: { node: 'cell0' } },
  { name: 'node_stop', subject: 'trio', params: {} },
  { name: 'node_restart', subject: 'trio', params: {} },
  { name: 'node_pause', subject: 'trio', params: {} },
  { name: 'latency', subject: 'trio', params: { min_ms: 20, max_ms: 40 } },
  { name: 'packet_loss', subject: 'trio', params: { percent: 40 } },
  { name: 'bandwidth', subject: 'trio', params: { rate_kbit: 2000 } },
  { name: 'network_partition', subject: 'trio', params: {} },
  { name: 'disk_pressure', subject: 'trio', params: { fill_percent: 60 } },
  { name: 'cpu_pressure', subject: 'trio', params: { percent: 60 } },
  { name: 'memory_pressure', subject: 'trio', params: { percent: 60 } },
  { name: 'counter_drift', subject: 'ratelimiter', params: { key: 'crash', extra: 5 } },
];

export const operations: readonly OperationName[] = ['inject', 'heal', 'reset'];

/** One operation on one kind of fault: inject it, heal it, or reset the subject while it is active. */
export interface Plot {
  chaosType: string;
  subject: string;
  params: Record<string, unknown>;
  /** Undefined: any, as the case's seed has it. */
  target: { node: string } | undefined;
  operation: OperationName;
}

export interface Case extends Plot {
  point: CrashPoint;
  moment: number;
}

export const plots: readonly Plot[] = chaosTypes.flatMap(({ name, subject, params, target }) =>
  operations.map((operation) => ({ chaosType: name, subject, params, target, operation })),
);

/** Both sides of each call, with the moment that each is. */
export function casesOf(plot: Plot, calls: readonly Call[]): Case[] {
  return calls.flatMap(({ call, nth, before, after }) => [
    { ...plot, point: { call, nth, when: 'before' as const }, moment: before },
    ...(after === null ? [] : [{ ...plot, point: { call, nth, when: 'after' as const }, moment: after }]),
  ]);
}

/** One case of each moment, in their order; which of those that are the same is for the seed to say. */
export function oneOfEach(cases: readonly Case[], seed: number): Case[] {
  const chosen = new Map<number, Case>();
  for (const one of shuffled(cases, seed, nameOf)) if (!chosen.has(one.moment)) chosen.set(one.moment, one);
  return [...chosen.values()].sort((a, b) => a.moment - b.moment);
}

export function nameOf({ chaosType, operation, point }: Case): string {
  return `${chaosType}:${operation}:${point.call}#${point.nth}:${point.when}`;
}

/** From 0 to 1, the same for the same words. */
export function chance(...words: (string | number)[]): number {
  return createHash('sha256').update(words.join('\0')).digest().readUInt32BE(0) / 2 ** 32;
}

/** In an order that the seed alone decides. */
export function shuffled<T>(all: readonly T[], seed: number, name: (item: T) => string): T[] {
  return [...all].sort((a, b) => chance(seed, name(a)) - chance(seed, name(b)));
}

/** The same plots, the operations in turn: a sample has its part of each, and takes as long whatever the seed (a reset takes thrice as long as an injection). */
export function mixed(list: readonly Plot[]): Plot[] {
  const operations = [...new Set(list.map((p) => p.operation))].sort();
  const lanes = operations.map((operation) => list.filter((p) => p.operation === operation));
  const longest = Math.max(0, ...lanes.map((lane) => lane.length));
  return Array.from({ length: longest }, (_, i) => lanes.flatMap((lane) => lane.slice(i, i + 1))).flat();
}
