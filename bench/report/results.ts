import type { Machine } from '../machine.ts';
import type { HealthFigures } from '../measure/health.ts';
import type { KillFigures } from '../measure/kill.ts';
import type { ResetFigures } from '../measure/reset.ts';
import type { Options, SpeedPart } from '../options.ts';

/** Everything one run measured; null: that part was not asked for. */
export interface Results {
  made_at: string;
  /** False when parts were left out or cut short. */
  whole: boolean;
  machine: Machine;
  /** One-minute load average per core; at the end it has the bench's own work in it. */
  load_per_core: { start: number; end: number };
  options: { parts: SpeedPart[] } & Pick<Options, 'rounds' | 'kills' | 'seconds'>;
  reset: ResetFigures[] | null;
  kill: KillFigures | null;
  health: HealthFigures | null;
  memory: MemoryFigures | null;
}

/** Resident memory of the service in bytes, all its subjects up and polled. */
export interface MemoryFigures {
  subjects: string[];
  after_resets: number;
  /** After faults and load, where those were asked for. */
  at_the_end: number;
  peak: number;
}
