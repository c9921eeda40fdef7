import type { Bounded } from '../compose/model.ts';
import type { ContainerCreate, EndpointConfig, FileInContainer, NetworkCreate, VolumeCreate } from '../engine/port.ts';

export type PhaseName = 'burn' | 'create' | 'start';

/** One engine call (or one wait), what it is there for, and which steps must be done first. */
export type PlanStep = { id: string; phase: PhaseName; cause: string; after: string[] } & Action;

export type Action =
  | { op: 'container.kill'; container: string }
  | { op: 'container.remove'; container: string }
  | { op: 'network.keep'; network: string /** Containers that may be on it all the same. */; guests: readonly string[] }
  | { op: 'network.disconnect'; network: string; container: string }
  | { op: 'network.remove'; network: string }
  | { op: 'volume.remove'; volume: string /** It has a block device, which goes with it. */; bounded: boolean }
  | { op: 'network.create'; body: NetworkCreate }
  | { op: 'volume.create'; body: VolumeCreate /** Its block device is made first; null: a plain volume. */; bounded: Bounded | null }
  | { op: 'container.create'; service: string; name: string; body: ContainerCreate }
  | {
      op: 'network.connect';
      network: string;
      container: string;
      endpoint: EndpointConfig /** Somebody else's container, which may be gone by then. */;
      guest: boolean;
    }
  | { op: 'container.put'; service: string; container: string; files: FileInContainer[] }
  | { op: 'container.start'; service: string; container: string }
  | { op: 'node.await'; service: string; container: string; condition: AwaitCondition };

/** `ready`: its own check passes, or it runs and has none. `completed`: it ended with 0. `settled`: either of the two. */
export type AwaitCondition = 'ready' | 'completed' | 'settled';

/** One line a step, in an order in which they can be carried out: what a person reads and a test compares. */
export function printPlan(steps: readonly PlanStep[]): string {
  return steps.map((s) => `${s.id}${s.after.length === 0 ? '' : ` <- ${s.after.join(', ')}`} (${s.cause})`).join('\n');
}
