import { type Engine, EngineError } from '../engine/port.ts';
import { DeadlineError, deadline, orAborted, until } from '../lib/until.ts';
import { ensureToolbox, type ToolboxSpec, toolboxName } from './container.ts';
import { type Toolbox, ToolboxError } from './port.ts';
import type { Calls, Ended, Op } from './protocol.ts';
import { Session } from './session.ts';

export const protocolVersion = 1;
const defaultTimeoutMs = 10_000;
/** Making and starting the container takes about half a second; a busy host may need ten times that. */
const joinMs = 20_000;
const againMs = 100;

/**
 * The toolbox of one engine, joined on the first call. The open session is at the same time this owner's sign of life: it ends with this process, however that
 * ends. A session that is lost is joined again by the next call; what was asked over the lost one is not repeated, as it may have been done.
 */
export class ResidentToolbox implements Toolbox {
  onJoined: Toolbox['onJoined'] = null;
  onEnded: Toolbox['onEnded'] = null;
  onLost: Toolbox['onLost'] = null;
  #engine: Engine;
  #spec: ToolboxSpec;
  #owner: string;
  #session: Session | null = null;
  #joining: Promise<Session> | null = null;
  #closed = false;

  constructor(engine: Engine, spec: ToolboxSpec, owner: string) {
    this.#engine = engine;
    this.#spec = spec;
    this.#owner = owner;
  }

  get connected(): boolean {
    return this.#session !== null;
  }

  async call<K extends Op>(op: K, args: Calls[K]['args'], signal: AbortSignal, timeoutMs = defaultTimeoutMs): Promise<Calls[K]['result']> {
    const session = this.#session ?? (await this.#joined(signal));
    return session.call(op, args, signal, timeoutMs);
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
  }

  /** Everyone who asks meanwhile waits for the same join; it has its own deadline, as it is nobody's alone. */
  async #joined(signal: AbortSignal): Promise<Session> {
    if (this.#closed) throw new ToolboxError('unavailable', 'the service is shutting down', 'hello');
    signal.throwIfAborted();
    this.#joining ??= this.#join().finally(() => {
      this.#joining = null;
    });
    return orAborted(this.#joining, signal);
  }

  async #join(): Promise<Session> {
    using limited = deadline('joining the toolbox', joinMs);
    let last = 'the engine does not answer';
    const again = (why: string) => {
      last = why;
    };
    const session = await until(async () => this.#tryToOpen(again, limited), againMs, limited).catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
      throw new ToolboxError('unavailable', `it could not be joined within ${joinMs} ms: ${last}`, 'hello', { cause: error });
    });
    // Set before the follow-up, whose own calls go over it.
    this.#session = session;
    void session.ended.then((why) => {
      if (this.#session !== session) return;
      this.#session = null;
      if (!this.#closed) this.onLost?.(why);
    });
    if (this.#closed) session.close();
    else await this.onJoined?.();
    return session;
  }

  /** Undefined: the container was just about to end or to start again, which the engine tells a moment late. */
  async #tryToOpen(again: (why: string) => void, signal: AbortSignal): Promise<Session | undefined> {
    try {
      const container = await ensureToolbox(this.#engine, this.#spec, (id) => this.#mayReplace(id, signal), signal);
      return await this.#open(container, signal);
    } catch (error) {
      const passing =
        (error instanceof ToolboxError && error.code === 'lost') ||
        (error instanceof EngineError && (error.reason === 'conflict' || error.reason === 'not_found'));
      if (!passing) throw error;
      again(error.message);
      return undefined;
    }
  }

  async #open(container: string, signal: AbortSignal): Promise<Session> {
    const engineSession = await this.#engine.openSession(container, ['/toolbox', 'connect'], signal);
    const session = new Session(engineSession, (event) => {
      if (event.event === 'ended') this.onEnded?.(String(event.fault), { by: event.by as Ended['by'], done: event.done === true });
    });
    try {
      const { protocol } = await session.call('hello', { owner: this.#owner, protocol: protocolVersion }, signal, defaultTimeoutMs);
      if (protocol !== protocolVersion) {
        throw new ToolboxError(
          'unavailable',
          `the toolbox on this engine speaks protocol ${protocol}, this service ${protocolVersion}; stop the other service, then remove the container ${this.#spec.name ?? toolboxName}`,
          'hello',
        );
      }
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Not while another service that lives works through it: it would lose its sessions, and might want its own image back. */
  async #mayReplace(container: string, signal: AbortSignal): Promise<boolean> {
    try {
      const session = await this.#open(container, signal);
      const { owners } = await session.call('owners', {}, signal, defaultTimeoutMs);
      session.close();
      return owners.every(({ owner, live }) => owner === this.#owner || !live);
    } catch (error) {
      // It does not answer as a toolbox does: nobody works through it.
      if (error instanceof ToolboxError || (error instanceof EngineError && error.reason !== 'unreachable')) return true;
      throw error;
    }
  }
}
