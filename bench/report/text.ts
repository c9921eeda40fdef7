import { busyAbove } from '../machine.ts';
import type { Results } from './results.ts';

/** Milliseconds for people: `0.84 ms`, `123 ms`, `4.12 s`. */
export function time(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(2)} ms`;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(1)}×`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
}

/** One line about the machine. */
export function machineLine({ machine }: Pick<Results, 'machine'>): string {
  const { cores, processor, memory_bytes, operating_system, kernel, engine, engine_api, compose, node } = machine;
  const memory = `${(memory_bytes / 1024 ** 3).toFixed(0)} GiB`;
  return `${cores} cores (${processor}), ${memory}, ${operating_system}, kernel ${kernel}; Docker ${engine} (API ${engine_api}), ${compose === null ? '' : `Compose ${compose}, `}Node ${node}`;
}

/** What a reader must know before believing the figures; null: nothing. */
export function caveat({ load_per_core, whole }: Pick<Results, 'load_per_core' | 'whole'>): string | null {
  const parts = [
    ...(load_per_core.start > busyAbove
      ? [`the machine was busy when the run began (load average ${load_per_core.start.toFixed(1)} per core)`]
      : []),
    ...(whole ? [] : ['parts were left out or cut short']),
  ];
  return parts.length === 0 ? null : `Not to be quoted: ${parts.join('; ')}.`;
}
