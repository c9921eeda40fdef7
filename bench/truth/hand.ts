import type { ControlOptions } from '../../src/control/create.ts';
import type { Engine } from '../../src/engine/port.ts';
import type { Step } from '../../src/faults/step.ts';
import { pause, until } from '../../src/lib/until.ts';
import { type Toolbox, ToolboxError } from '../../src/toolbox/port.ts';

/** What is really done when the service does something: it; nothing, with the answer of success; or it, and somebody undoes it at once and again and again. */
export type Done = 'real' | 'placebo' | 'sabotaged';
/** What becomes of an undo: done; nothing done, with the answer of success; done, and the fault put back at once; or it fails. */
export type Undone = 'real' | 'withheld' | 'put_back' | 'failing';

const sabotageEveryMs = 20;
const reviveEveryMs = 10;

interface Applied {
  fault: string;
  fence: number;
  step: Step;
}

/**
 * Stands between the service and what it changes the world through, and does there what it is told, so that what was really done is known. Everything else goes through untouched: the service measures for itself.
 */
export class Hand {
  done: Done = 'real';
  undone: Undone = 'real';
  #engine: Engine;
  #toolbox: Toolbox | null = null;
  #undo = new Map<string, Step[]>();
  #applied: Applied[] = [];
  #killed = new Map<string, 'kill' | 'pause'>();
  #sabotage = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** For the service's `instrument`. */
  readonly instrument: NonNullable<ControlOptions['instrument']> = (what, thing) => {
    if (what === 'engine') return through(thing, this.#engineCalls(thing as unknown as Engine));
    if (what !== 'toolbox') return thing;
    this.#toolbox = thing as unknown as Toolbox;
    return through(thing, { call: (...args: Parameters<Toolbox['call']>) => this.#call(thing as unknown as Toolbox, args) });
  };

  /** The toolbox itself, past this hand. */
  get toolbox(): Toolbox {
    if (this.#toolbox === null) throw new Error('the service was not made yet');
    return this.#toolbox;
  }

  /** Ends what undoes faults in a loop, and forgets the run. */
  async rest(): Promise<void> {
    this.#sabotage.abort();
    await Promise.all(this.#loops);
    this.#loops = [];
    this.#sabotage = new AbortController();
    this.#applied = [];
    this.#killed.clear();
    this.#undo.clear();
    this.done = 'real';
    this.undone = 'real';
  }

  #engineCalls(engine: Engine): Partial<Engine> {
    return {
      killContainer: (id, name, signal) => this.#stopping(id, 'kill', () => engine.killContainer(id, name, signal), signal),
      stopContainer: (id, grace, signal) => this.#stopping(id, 'kill', () => engine.stopContainer(id, grace, signal), signal),
      pauseContainer: (id, signal) => this.#stopping(id, 'pause', () => engine.pauseContainer(id, signal), signal),
      restartContainer: async (id, grace, signal) => {
        if (this.done !== 'placebo') await engine.restartContainer(id, grace, signal);
      },
      startContainer: (id, signal) =>
        this.#reviving(
          id,
          () => engine.startContainer(id, signal),
          () => engine.killContainer(id, 'SIGKILL', signal),
        ),
      unpauseContainer: (id, signal) =>
        this.#reviving(
          id,
          () => engine.unpauseContainer(id, signal),
          () => engine.pauseContainer(id, signal),
        ),
    };
  }

  async #stopping(id: string, how: 'kill' | 'pause', act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.done === 'placebo') return;
    const before = await this.#engine.inspectContainer(id, signal);
    await act();
    this.#killed.set(id, how);
    if (this.done === 'sabotaged') await this.#undoAgainAndAgain((s) => this.#revive(id, before?.startedAt ?? null, how, s), signal);
  }

  async #reviving(id: string, undo: () => Promise<void>, again: () => Promise<void>): Promise<void> {
    if (!this.#killed.has(id) || this.undone === 'real') return undo();
    if (this.undone === 'failing') throw new Error('the undo was made to fail');
    if (this.undone === 'withheld') return;
    await undo();
    await again();
  }

  async #call(toolbox: Toolbox, args: Parameters<Toolbox['call']>): Promise<never> {
    const [op, given, signal] = args;
    const pass = () => toolbox.call(...args) as Promise<never>;
    if (op === 'arm') {
      const { fault, undo } = given as { fault: string; undo: Step[] };
      this.#undo.set(fault, undo);
    }
    if (op === 'apply') return this.#apply(given as Applied, pass, signal);
    if (op === 'undo' && this.undone !== 'real') {
      if (this.undone === 'failing') throw new ToolboxError('failed', 'the undo was made to fail', op);
      if (this.undone === 'withheld') return {} as never;
      const answer = await pass();
      const { container_id } = (given as { step: Step }).step;
      for (const applied of this.#applied.filter(({ step }) => step.container_id === container_id))
        await toolbox.call('apply', applied, signal);
      return answer;
    }
    return pass();
  }

  async #apply(applied: Applied, pass: () => Promise<never>, signal: AbortSignal): Promise<never> {
    if (this.done === 'placebo') return { mechanism: 'withheld', interfaces: [] } as never;
    const { step, fault } = applied;
    const crash = step.op === 'proc.kill';
    const before = crash ? await this.#engine.inspectContainer(step.container_id, signal) : null;
    const answer = await pass();
    this.#applied.push(applied);
    if (crash) this.#killed.set(step.container_id, 'kill');
    if (this.done !== 'sabotaged') return answer;
    const undo = (this.#undo.get(fault) ?? []).filter((s) => s.container_id === step.container_id);
    await this.#undoAgainAndAgain(async (s) => {
      if (crash) await this.#revive(step.container_id, before?.startedAt ?? null, 'kill', s);
      else for (const u of undo) await this.toolbox.call('undo', { step: u }, s);
    }, signal);
    return answer;
  }

  /** Once before it answers, so that there is no effect when the service begins to look; then until the run is over. */
  async #undoAgainAndAgain(undo: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    await undo(signal);
    const over = this.#sabotage.signal;
    const loop = async () => {
      while (!over.aborted) {
        await undo(over);
        await pause(sabotageEveryMs, over);
      }
    };
    this.#loops.push(
      loop().catch((error: unknown) => {
        if (!over.aborted) throw error;
      }),
    );
  }

  /** Has the container running (again) since the act. */
  async #revive(id: string, startedBefore: number | null, how: 'kill' | 'pause', signal: AbortSignal): Promise<void> {
    await until(
      async () => {
        const now = await this.#engine.inspectContainer(id, signal);
        if (now === null) throw new Error(`the container ${id} is gone`);
        if (now.state === 'paused') await this.#engine.unpauseContainer(id, signal);
        else if (now.state === 'exited') await this.#engine.startContainer(id, signal);
        else if (now.state === 'running' && (how === 'pause' || now.startedAt !== startedBefore)) return true;
        return undefined;
      },
      reviveEveryMs,
      signal,
    );
  }
}

/** A thing with some of its methods replaced; its private members stay its own. */
function through<T extends object>(thing: T, replaced: object): T {
  return new Proxy(thing, {
    get: (target, name) => {
      if (name in replaced) return Reflect.get(replaced, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}
