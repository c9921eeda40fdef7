import type { Service } from '../compose/model.ts';
import type { Existing } from './existing.ts';

/** Everything a plan depends on, besides the subject. */
export interface PlanInput {
  owner: string;
  generation: number;
  existing: Existing;
  /** By image reference: what to create from (a reference, or an id when the reference moved meanwhile), and the image's VOLUME paths. */
  images: ReadonlyMap<string, { use: string; volumes: readonly string[] }>;
  /** By network key; missing: the engine chooses. */
  subnets: ReadonlyMap<string, string>;
  /** By network key, then by service. */
  addresses: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Containers to attach to each network of the subject: this service's own, and strangers that were on it. By network key. */
  guests: ReadonlyMap<string, readonly string[]>;
  /** This service's own container, which may stay on a network that is kept. */
  self: string | null;
  /** False: every network is made anew, even one that is as it should be. */
  keepNetworks: boolean;
  /** False: volumes of limited size cannot be had here, and are plain ones. */
  bounded: boolean;
  /** Of the engine. */
  apiVersion: string;
}

/** What a service's container is made from, and the image's VOLUME paths. */
export function imageOf(input: PlanInput, service: Service): { use: string; volumes: readonly string[] } {
  return input.images.get(service.image) ?? { use: service.image, volumes: [] };
}
