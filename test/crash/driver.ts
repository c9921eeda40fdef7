import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../../src/engine/dockerode.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { newId } from '../../src/lib/id.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { readSettings } from '../../src/settings.ts';
import { ResidentToolbox } from '../../src/toolbox/resident.ts';
import { differences, look, nothing, type State } from './audit.ts';
import { type Case, casesOf, chance, nameOf, type Plot } from './cases.ts';
import type { InjectOrder, Status } from './messages.ts';
import { makeProgram, type Program } from './program.ts';
import { ServiceProcess } from './service_process.ts';

/** How long one case may take from the order to the clean audit, all waits on a busy host included. */
const caseMs = 120_000;
/** What the recovery leaves to what runs beside it (the toolbox's own end of a lost session) has this time. */
const settleMs = 10_000;

export interface Result {
  name: string;
  /** False: the call was not made this time, and the service was cut off after the operation's end. */
  reached: boolean;
  tookMs: number;
  recoveredMs: number | null;
  /** What was wrong; empty: nothing. */
  wrong: string[];
}

/** Runs cases one after the other on one data directory: the process that recovers from one case's crash is the one that the next is crashed in. */
export class Driver {
  #program: Program;
  #engine = createEngine();
  #toolbox: ResidentToolbox;
  #dataDir = mkdtempSync(join(tmpdir(), 'subjectd-crash-'));
  #env: Record<string, string | undefined>;
  #service: ServiceProcess;
  /** Loaded already, and started when the service dies. */
  #spare: ServiceProcess;
  /** By subject: how it was when it was first clean, and healthy. */
  #clean = new Map<string, State>();
  #unavailable = new Map<string, Map<string, string>>();

  private constructor(program: Program, env: Record<string, string | undefined>) {
    this.#program = program;
    this.#env = { ...env, SUBJECTD_DATA_DIR: this.#dataDir, SUBJECTD_LOG_LEVEL: env.SUBJECTD_LOG_LEVEL ?? 'warn' };
    const { toolboxImage, engineSocket } = readSettings(this.#env, this.#dataDir);
    this.#toolbox = new ResidentToolbox(this.#engine, { image: toolboxImage, engineSocket }, newId('own'));
    this.#service = this.#spawn();
    this.#spare = this.#spawn();
  }

  static async open(env: Record<string, string | undefined>): Promise<Driver> {
    const driver = new Driver(await makeProgram(), env);
    try {
      await driver.#service.ask({ do: 'start' });
    } catch (error) {
      await driver.close();
      throw error;
    }
    return driver;
  }

  /** Removes everything. */
  async close(): Promise<string[]> {
    const left: string[] = [];
    for (const subject of this.#clean.keys()) {
      const again = async () => {
        await this.#service.kill();
        await this.#restart();
        return this.#delete(subject);
      };
      left.push(...(await this.#delete(subject).catch(again)));
    }
    await Promise.allSettled([this.#service.close(), this.#spare.kill()]);
    this.#toolbox.close();
    await this.#engine.close();
    rmSync(this.#dataDir, { recursive: true, force: true });
    this.#program[Symbol.dispose]();
    return left;
  }

  /** Null when the chaos type can be had here, else why not. */
  async obstacle({ subject, chaosType }: Plot): Promise<string | null> {
    let known = this.#unavailable.get(subject);
    if (known === undefined) {
      await this.#ready(subject);
      const types = await this.#service.ask({ do: 'types', subject });
      known = new Map(types.filter((t) => !t.available).map((t) => [t.name, t.detail ?? 'no reason given']));
      this.#unavailable.set(subject, known);
    }
    return known.get(chaosType) ?? null;
  }

  /** Runs the operation to its end and answers all cases of it. */
  async cases(plot: Plot): Promise<Case[]> {
    try {
      await this.#ready(plot.subject);
      const request = this.#request(plot, 'dry');
      const fault = plot.operation === 'inject' ? null : (await this.#inject(plot, request)).id;
      const { operation, calls } = await this.#service.ask({ do: 'run', ...plot, request, fault, point: null });
      if (operation.state !== 'succeeded') throw new Error(`the operation failed: ${JSON.stringify(operation.error)}`);
      await this.#service.kill();
      const { wrong } = await this.#recovered(plot.subject);
      if (wrong.length > 0) throw new Error(`a crash after its end is not clean: ${wrong.join('; ')}`);
      return casesOf(plot, calls);
    } catch (error) {
      await this.#mend(plot.subject);
      throw error;
    }
  }

  /** Never throws for what the case does; a case that went wrong is followed by a reset. */
  async run(one: Case): Promise<Result> {
    const began = performance.now();
    const result: Result = { name: nameOf(one), reached: false, tookMs: 0, recoveredMs: null, wrong: [] };
    try {
      await this.#ready(one.subject);
      const request = this.#request(one, nameOf(one));
      const fault = one.operation === 'inject' ? null : (await this.#inject(one, request)).id;
      const { point } = one;
      result.reached = await this.#service.dieIn({ do: 'run', ...one, request, fault, point }, caseMs);
      const { wrong, recoveredMs } = await this.#recovered(one.subject);
      result.wrong = wrong;
      result.recoveredMs = recoveredMs;
    } catch (error) {
      result.wrong = [error instanceof Error ? error.message : String(error), `log: ${this.#service.log}`];
    }
    // So that one failure does not hide the others.
    if (result.wrong.length > 0) await this.#mend(one.subject).catch((error: unknown) => result.wrong.push(`and then: ${String(error)}`));
    result.tookMs = Math.round(performance.now() - began);
    return result;
  }

  async #mend(subject: string): Promise<void> {
    await this.#service.kill();
    await this.#restart();
    await this.#reset(subject);
  }

  #spawn(): ServiceProcess {
    return new ServiceProcess(this.#program.file, this.#program.args, this.#env);
  }

  async #restart(): Promise<number> {
    this.#service = this.#spare;
    this.#spare = this.#spawn();
    return (await this.#service.ask({ do: 'start' })).recovered_ms;
  }

  /** Starts the service again and compares what is there with how it should be. */
  async #recovered(subject: string): Promise<{ wrong: string[]; recoveredMs: number }> {
    const recoveredMs = await this.#restart();
    const status = await this.#service.ask({ do: 'status', subject });
    const wrong = [...status.issues.map((i) => `not healthy: ${i}`), ...faultsLeft(status.faults)];
    if (status.subject.operation !== null) wrong.push(`${status.subject.operation} still holds the subject`);
    const expected = status.subject.phase === 'absent' ? nothing : this.#clean.get(subject);
    if (status.subject.phase !== 'absent' && status.subject.phase !== 'running') wrong.push(`the subject is ${status.subject.phase}`);
    if (expected === undefined) throw new Error(`${subject} was never seen clean`);
    return { wrong: [...wrong, ...(await this.#compare(expected, status))], recoveredMs };
  }

  async #compare(expected: State, status: Status): Promise<string[]> {
    using limited = deadline('audit', settleMs * 3);
    const began = performance.now();
    return until(
      async () => {
        const found = differences(expected, await this.#look(status, limited));
        return found.length === 0 || performance.now() - began > settleMs ? found : undefined;
      },
      200,
      limited,
    );
  }

  #look({ subject, owner, faults }: Status, signal: AbortSignal): Promise<State> {
    return look(this.#engine, this.#toolbox, { project: subject.project, owner, faults: faults.map((f) => f.id) }, signal);
  }

  /** Has the subject running and healthy, with no fault. */
  async #ready(subject: string): Promise<void> {
    const status = this.#clean.has(subject) ? await this.#service.ask({ do: 'status', subject }) : null;
    if (status?.subject.phase !== 'running' || status.issues.length > 0) await this.#reset(subject);
  }

  async #reset(subject: string): Promise<void> {
    const operation = await this.#service.ask({ do: 'reset', subject });
    if (operation.state !== 'succeeded') throw new Error(`reset of ${subject} failed: ${JSON.stringify(operation.error)}`);
    if (this.#clean.has(subject)) return;
    using limited = deadline('first look', 30_000);
    this.#clean.set(subject, await this.#look(await this.#service.ask({ do: 'status', subject }), limited));
  }

  async #inject(plot: Plot, request: InjectOrder): Promise<Fault> {
    const operation = await this.#service.ask({ do: 'inject', subject: plot.subject, request });
    if (operation.state !== 'succeeded') throw new Error(`${plot.chaosType} could not be injected: ${JSON.stringify(operation.error)}`);
    return operation.result as Fault;
  }

  /** Which node is hit is the case's own, and the same whenever it is run. */
  #request({ chaosType, params, target }: Plot, name: string): InjectOrder {
    const seed = Math.floor(chance(name) * 2 ** 32);
    return { chaos_type: chaosType, params, seed, require_effect: false, ...(target === undefined ? {} : { target }) };
  }

  async #delete(subject: string): Promise<string[]> {
    const status = await this.#service.ask({ do: 'status', subject });
    const operation = await this.#service.ask({ do: 'delete', subject });
    if (operation.state !== 'succeeded') return [`tear-down of ${subject} failed: ${JSON.stringify(operation.error)}`];
    return this.#compare(nothing, status);
  }
}

function faultsLeft(faults: readonly Fault[]): string[] {
  return faults
    .filter((f) => (f.state !== 'healed' && f.state !== 'failed') || f.heal?.verdict !== 'clean')
    .map(
      (f) => `fault ${f.id} (${f.chaos_type}) is ${f.state}, ${f.heal?.verdict ?? 'not healed'}: ${JSON.stringify(f.heal?.residue ?? [])}`,
    );
}
