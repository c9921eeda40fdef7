import { createHash } from 'node:crypto';
import type { Done, Undone } from './hand.ts';

/** One run: what is asked of the service, and what is really done. */
export interface TruthRun {
  chaos_type: string;
  params: Record<string, unknown>;
  /** Node of trio. */
  node: string;
  done: Done;
  undone: Undone;
}

/** Numbers from 0 (included) to 1, the same for the same seed. */
export function chance(seed: number): () => number {
  let drawn = 0;
  return () => createHash('sha256').update(`${seed},${drawn++}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

type Draw = () => number;
const between = (draw: Draw, low: number, high: number) => low + Math.floor(draw() * (high - low + 1));
const pick = <T>(draw: Draw, list: readonly [T, ...T[]]): T => list[Math.floor(draw() * list.length)] ?? list[0];

/** Each chaos type with what is drawn for it. Sizes are such that the witness can see them in its time. */
const types: Record<string, (draw: Draw) => Record<string, unknown>> = {
  node_kill: () => ({}),
  node_crash: () => ({}),
  node_stop: () => ({ grace_s: 1 }),
  node_restart: () => ({ grace_s: 1 }),
  node_pause: () => ({}),
  latency: (draw) => ({ delay_ms: between(draw, 10, 120) }),
  packet_loss: (draw) => ({ percent: between(draw, 10, 80) }),
  bandwidth: (draw) => ({ rate_kbit: between(draw, 500, 10_000) }),
  network_partition: (draw) => ({ direction: pick(draw, ['both', 'to', 'from']) }),
  disk_pressure: (draw) => ({ fill_percent: between(draw, 30, 95) }),
  cpu_pressure: (draw) => ({ percent: between(draw, 40, 90) }),
  memory_pressure: (draw) => ({ percent: between(draw, 50, 90) }),
};

const dones: readonly Done[] = ['real', 'placebo', 'sabotaged'];
const sabotagedHeals: readonly [Undone, ...Undone[]] = ['withheld', 'put_back', 'failing'];

/**
 * So many runs from a seed, in an order that it shuffles: every chaos type as often as every other, real, placebo and sabotaged alike. Every second real one is healed under sabotage first. A restart cannot
 * be undone, so that there is no sabotage of it, nor of its heal.
 */
export function truthPlan(seed: number, count: number): TruthRun[] {
  const draw = chance(seed);
  const cells = Object.entries(types).flatMap(([chaos_type, params]) =>
    dones.filter((done) => chaos_type !== 'node_restart' || done !== 'sabotaged').map((done) => ({ chaos_type, params, done })),
  );
  const runs = Array.from({ length: count }, (_, i): TruthRun => {
    const { chaos_type, params, done } = cells[i % cells.length] ?? cells[0] ?? { chaos_type: '', params: () => ({}), done: 'real' };
    const second = Math.floor(i / cells.length) % 2 === 1;
    const undone = done === 'real' && second && chaos_type !== 'node_restart' ? pick(draw, sabotagedHeals) : 'real';
    // A restart policy is a saboteur of its own; nodes that have one are left to real runs.
    const node = done === 'real' && undone === 'real' ? pick(draw, ['cell0', 'cell1', 'cell2']) : pick(draw, ['cell0', 'cell1']);
    return { chaos_type, params: params(draw), node, done, undone };
  });
  for (let i = runs.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    const [a, b] = [runs[i], runs[j]];
    if (a !== undefined && b !== undefined) [runs[i], runs[j]] = [b, a];
  }
  return runs;
}
