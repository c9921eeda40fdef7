import type { Bounded } from '../compose/model.ts';
import { EngineError } from '../engine/port.ts';
import { type Toolbox, ToolboxError } from '../toolbox/port.ts';

/** Volumes of limited size, each a filesystem of its own on the engine's host. */
export class BoundedVolumes {
  #toolbox: Toolbox;

  constructor(toolbox: Toolbox) {
    this.#toolbox = toolbox;
  }

  /** Null when they can be had here, else why not. Throws when that cannot be known. */
  async obstacle(signal: AbortSignal): Promise<string | null> {
    try {
      const { loop, reasons } = await this.#toolbox.call('capabilities', {}, signal, 20_000);
      return loop ? null : (reasons.loop ?? 'the host has no loop devices');
    } catch (error) {
      if (error instanceof ToolboxError || (error instanceof EngineError && error.reason !== 'unreachable')) return error.message;
      throw error;
    }
  }

  /** Makes an empty one, anew if there is one of this name, and answers its block device. */
  async create(volume: string, { bytes, uid, gid, mode }: Bounded, signal: AbortSignal): Promise<string> {
    const args = { volume, bytes, uid, gid, mode: mode.toString(8).padStart(4, '0') };
    return (await this.#toolbox.call('volume.create', args, signal)).device;
  }

  /** Names of those that an owner has; none where the toolbox cannot be had at all. */
  async of(owner: string, signal: AbortSignal): Promise<string[]> {
    try {
      const { volumes } = await this.#toolbox.call('volume.list', {}, signal);
      return volumes.filter((v) => v.owner === owner).map((v) => v.volume);
    } catch (error) {
      if (
        (error instanceof ToolboxError && error.code === 'unavailable') ||
        (error instanceof EngineError && error.reason !== 'unreachable')
      )
        return [];
      throw error;
    }
  }

  /** Success when there is none. */
  async remove(volume: string, signal: AbortSignal): Promise<void> {
    await this.#toolbox.call('volume.remove', { volume }, signal);
  }
}
