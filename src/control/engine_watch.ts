import { type Engine, EngineError, type EngineEvent } from '../engine/port.ts';
import { labels } from '../kind/subject.ts';
import { pause } from '../lib/until.ts';

const retryMs = 250;

/** Container actions that change what health says. Runs of commands are not among them: health checks cause them. */
const telling = /^(start|die|stop|kill|pause|unpause|destroy|rename|oom|health_status)/;

/** Follows the engine's events about this service's containers, for ever: when the engine goes away it waits for its return. */
export class EngineWatch {
  #engine: Engine;
  #owner: string;
  #stop = new AbortController();
  #loop: Promise<void> | null = null;
  #up: boolean | null = null;
  #on: { event: (subject: string, event: EngineEvent) => void; up: () => void; down: (why: string) => void };

  constructor(
    engine: Engine,
    owner: string,
    on: { event: (subject: string, event: EngineEvent) => void; up: () => void; down: (why: string) => void },
  ) {
    this.#engine = engine;
    this.#owner = owner;
    this.#on = on;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the watch was stopped'));
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const filter = { labels: [`${labels.owner}=${this.#owner}`], onOpen: () => this.#turn(true, '') };
        for await (const event of this.#engine.events(filter, signal)) {
          const subject = event.attributes[labels.subject];
          if (event.type === 'container' && subject !== undefined && telling.test(event.action)) this.#on.event(subject, event);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof EngineError)) throw error;
        this.#turn(false, error.message);
        await pause(retryMs, signal).catch(() => {});
      }
    }
  }

  #turn(up: boolean, why: string): void {
    if (this.#up === up) return;
    const first = this.#up === null;
    this.#up = up;
    if (!up) this.#on.down(why);
    else if (!first) this.#on.up();
  }
}
