import type { EngineEvent } from '../engine/port.ts';
import type { Death, Deaths } from '../faults/scene.ts';
import type { Clock } from '../lib/clock.ts';

/**
 * The newest end of each container, from the engine's events. They come when the process has ended; asked about the container, the engine answers only
 * when it has also taken its networks and ports down, some hundred milliseconds later (moby emits `die` before the clean-up, under the container's lock).
 */
export class DeathsTold implements Deaths {
  #clock: Clock;
  #deaths = new Map<string, Death>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take({ action, id, attributes }: EngineEvent): void {
    if (action === 'die') this.#deaths.set(id, { toldAt: this.#clock.mono(), exitCode: Number(attributes.exitCode) });
    else if (action === 'destroy') this.#deaths.delete(id);
  }

  of(containerId: string): Death | null {
    return this.#deaths.get(containerId) ?? null;
  }
}
