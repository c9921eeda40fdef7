import { until } from '../lib/until.ts';

/** Where a command is. `begun` is the dangerous time: accepted by the engine, its process not yet in the container. */
export type ExecStage = 'not_begun' | 'begun' | 'there_or_over';

interface Start {
  /** Asks the engine; null until the engine has given the command an id. */
  stage: ((signal: AbortSignal) => Promise<ExecStage>) | null;
  /** Somebody still works on it; else it was given up, and what has not begun will not. */
  live: boolean;
}

const lookMs = 10;
/** Starts that were given up half-way and are kept to be looked at, per container. */
const maxGivenUp = 32;

/**
 * Keeps a container's pause and the starts of commands in it apart, as far as they come through this process. A pause that
 * freezes a command half-way into the container leaves the engine (seen with 20.10, runc 1.1.5, cgroup v1, on every second
 * pause under probing) without an answer to any inspect, unpause, kill or remove of that container, until somebody
 * thaws its freezer from the host. Commands of others, the engine's own health checks among them, are not held back.
 */
export class PauseGate {
  private readonly starts = new Map<string, Set<Start>>();
  private readonly pausing = new Set<string>();

  /**
   * Runs the calls of one command, after a pause under way. `act` gets a function to hand over how to look at the command,
   * to be called before the command is started.
   */
  async command<T>(id: string, signal: AbortSignal, act: (watch: (stage: NonNullable<Start['stage']>) => void) => Promise<T>): Promise<T> {
    while (this.pausing.has(id)) await this.pauseOver(id, signal);
    const start: Start = { stage: null, live: true };
    this.starts.set(id, (this.starts.get(id) ?? new Set()).add(start));
    try {
      const result = await act((stage) => {
        start.stage = stage;
      });
      this.over(id, start);
      return result;
    } catch (error) {
      // The engine may go on with a start whose answer nobody waits for.
      this.giveUp(id, start);
      throw error;
    }
  }

  /** Runs a pause once no command is on its way into the container. */
  async pause<T>(id: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    while (this.pausing.has(id)) await this.pauseOver(id, signal);
    this.pausing.add(id);
    try {
      for (const start of [...(this.starts.get(id) ?? [])]) {
        await until((inner) => this.settled(start, inner), lookMs, signal);
        if (!start.live) this.over(id, start);
      }
      return await act();
    } finally {
      this.pausing.delete(id);
    }
  }

  /** Nothing of a removed container is kept. */
  drop(id: string): void {
    this.starts.delete(id);
  }

  private async settled(start: Start, signal: AbortSignal): Promise<true | undefined> {
    const stage = start.stage ? await start.stage(signal) : 'not_begun';
    if (stage === 'not_begun') return start.live ? undefined : true;
    return stage === 'begun' ? undefined : true;
  }

  /** To be asked again after the wait: another pause may have been quicker. */
  private async pauseOver(id: string, signal: AbortSignal): Promise<void> {
    await until(async () => (this.pausing.has(id) ? undefined : true), lookMs, signal);
  }

  private giveUp(id: string, start: Start): void {
    start.live = false;
    if (start.stage === null) this.over(id, start);
    const givenUp = [...(this.starts.get(id) ?? [])].filter((other) => !other.live);
    for (const old of givenUp.slice(0, -maxGivenUp)) this.over(id, old);
  }

  private over(id: string, start: Start): void {
    start.live = false;
    start.stage = null;
    const all = this.starts.get(id);
    all?.delete(start);
    if (all?.size === 0) this.starts.delete(id);
  }
}
