import type { Availability, ChaosType } from '../chaos_type.ts';
import type { SceneNode } from '../scene.ts';

/** What most chaos types have in common; each overrides what is different. */
export const defaults = {
  defaultTarget: null,
  presence: null,
  check: () => {},
  named: () => null,
  obstacle: (node: SceneNode): string | null => (node.running ? null : 'it does not run'),
  settle: async () => [],
} satisfies Partial<ChaosType>;

/** Always there: the engine does it. */
export const byEngine = (): Availability => ({ available: true, mechanism: 'engine' });

/** What every fault of the network asks of a node. */
export function networkObstacle(node: SceneNode): string | null {
  if (!node.running) return 'it does not run';
  if (node.hostNetwork) return 'it is on the host’s network, which is not disturbed';
  return node.networks.length === 0 && node.sharesNetworkWith.length === 0 ? 'it is on no network' : null;
}

export const noParams = { type: 'object', additionalProperties: false, properties: {} } as const;

/** Of an orderly stop. */
export const graceParams = {
  type: 'object',
  additionalProperties: false,
  properties: {
    grace_s: { type: 'integer', minimum: 0, maximum: 20, default: 5, description: 'Seconds it has before it is killed.' },
  },
} as const;
