import type { Adapter } from '../kind/adapter.ts';
import { Problem } from '../lib/problem.ts';
import type { ChaosType } from './chaos_type.ts';
import { bandwidth } from './types/bandwidth.ts';
import { cpuPressure } from './types/cpu_pressure.ts';
import { diskPressure } from './types/disk_pressure.ts';
import { kindChaosType } from './types/kind_own.ts';
import { latency } from './types/latency.ts';
import { memoryPressure } from './types/memory_pressure.ts';
import { networkPartition } from './types/network_partition.ts';
import { nodeCrash } from './types/node_crash.ts';
import { nodeKill } from './types/node_kill.ts';
import { nodePause } from './types/node_pause.ts';
import { nodeRestart } from './types/node_restart.ts';
import { nodeStop } from './types/node_stop.ts';
import { none } from './types/none.ts';
import { packetLoss } from './types/packet_loss.ts';

/** Every chaos type that all kinds inherit, in the order of the catalogue. */
export const generalTypes: readonly ChaosType[] = [
  none,
  nodeKill,
  nodeCrash,
  nodeStop,
  nodeRestart,
  nodePause,
  latency,
  packetLoss,
  bandwidth,
  networkPartition,
  diskPressure,
  cpuPressure,
  memoryPressure,
];

/** The general ones and the kind's own. */
export function chaosTypesOf(adapter: Pick<Adapter, 'chaosTypes'>): ChaosType[] {
  const general = (name: string) => find(generalTypes, name);
  return [...generalTypes, ...(adapter.chaosTypes ?? []).map((c) => kindChaosType(c, general))];
}

/** Null when there is none of this name (any more). */
export function knownType(adapter: Pick<Adapter, 'chaosTypes'>, name: string | undefined): ChaosType | null {
  return chaosTypesOf(adapter).find((t) => t.name === name) ?? null;
}

/** Throws `unknown_chaos_type`, in the original contract's words. */
export function chaosType(adapter: Pick<Adapter, 'chaosTypes'>, name: string): ChaosType {
  return find(chaosTypesOf(adapter), name);
}

function find(types: readonly ChaosType[], name: string): ChaosType {
  const found = types.find((c) => c.name === name);
  if (found !== undefined) return found;
  const supported = types.map((c) => c.name);
  throw new Problem('unknown_chaos_type', `Unknown chaos type: ${name}. Supported: [${supported.join(', ')}]`, { supported });
}
