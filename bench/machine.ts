import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Engine } from '../src/engine/port.ts';

/** What the figures depend on. Nothing here names the machine. */
export interface Machine {
  cores: number;
  processor: string;
  memory_bytes: number;
  kernel: string;
  operating_system: string;
  engine: string;
  engine_api: string;
  cgroup_version: string;
  /** Null where it took no part. */
  compose: string | null;
  node: string;
}

/** `compose` is the version of the peer's, null without one. */
export async function machineFacts(engine: Engine, compose: string | null, signal: AbortSignal): Promise<Machine> {
  const info = await engine.info(signal);
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memory_bytes: totalmem(),
    kernel: release(),
    operating_system: info.operatingSystem,
    engine: info.version,
    engine_api: info.apiVersion,
    cgroup_version: info.cgroupVersion,
    compose,
    node: process.versions.node,
  };
}

/** One-minute load average per core; above this, other work takes part in what is measured. */
export const busyAbove = 0.5;

export function loadPerCore(): number {
  return (loadavg()[0] ?? 0) / cpus().length;
}

/** Resident memory of a process now and at its highest, in bytes. */
export function residentMemory(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${name}`);
    return Number(kib) * 1024;
  };
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
