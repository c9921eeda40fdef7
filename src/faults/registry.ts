import { Problem } from '../lib/problem.ts';
import type { ChaosType } from './chaos_type.ts';
import { nodeKill } from './node_kill.ts';
import { none } from './none.ts';

/** Every chaos type that all kinds inherit, in the order of the catalogue. */
export const chaosTypes: readonly ChaosType[] = [none, nodeKill];

/** Throws `unknown_chaos_type`, in the original contract's words. */
export function chaosType(name: string): ChaosType {
  const found = chaosTypes.find((c) => c.name === name);
  if (found !== undefined) return found;
  const supported = chaosTypes.map((c) => c.name);
  throw new Problem('unknown_chaos_type', `Unknown chaos type: ${name}. Supported: [${supported.join(', ')}]`, { supported });
}
