import { isDeepStrictEqual } from 'node:util';
import { EngineError } from '../engine/port.ts';
import type { ChaosType } from '../faults/chaos_type.ts';
import { type FaultRecord, hasRestarted } from '../faults/fault.ts';
import { type Presence, presenceOf, tampering } from '../faults/presence.ts';
import { knownType } from '../faults/registry.ts';
import { deadline, pause } from '../lib/until.ts';
import { ToolboxError } from '../toolbox/port.ts';
import type { Context } from './context.ts';
import { healOne } from './fault_use.ts';
import type { Host } from './host.ts';
import { sceneOf } from './scene.ts';
import { cover, uncover } from './uncover.ts';

const lookMs = 10_000;

/** What there was of a fault when it was first looked at after it was injected, or put back in another way. */
interface First {
  act: FaultRecord['act'];
  presence: Presence;
}

/** A chaos type whose faults can be looked at. */
interface Supervised extends Pick<ChaosType, 'life'> {
  presence: NonNullable<ChaosType['presence']>;
}

/**
 * Looks at active faults every few seconds, since whoever works on a subject may take them away: rules flushed, a file removed, a limit lifted. A fault of which nothing is in force any more
 * has ended, by `outside`; one of which a part is missing goes on, and says so. Faults of a node's process and restarted targets are told by the engine's events, and not looked at here.
 */
export class Supervision {
  #context: Context;
  #hosts: () => readonly Host[];
  #everyMs: number;
  #closing: AbortSignal;
  #first = new Map<string, First>();
  /** Faults that are being ended. */
  #ending = new Map<string, Promise<void>>();
  #loop: Promise<void> | null = null;

  constructor(context: Context, hosts: () => readonly Host[], everyMs: number, closing: AbortSignal) {
    this.#context = context;
    this.#hosts = hosts;
    this.#everyMs = everyMs;
    this.#closing = closing;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** After the signal has aborted. */
  async stopped(): Promise<void> {
    await this.#loop;
    await Promise.all(this.#ending.values());
  }

  /** The first look at a fault, soon after its injection: what is missing later is compared with it. */
  begin(host: Host, fault: string): void {
    void this.#look(host, fault).catch((error: unknown) => this.#failed(error, fault));
  }

  async #run(): Promise<void> {
    while (!this.#closing.aborted) {
      await pause(this.#everyMs, this.#closing).catch((error: unknown) => {
        if (!this.#closing.aborted) throw error;
      });
      await this.#lookAtAll();
    }
  }

  async #lookAtAll(): Promise<void> {
    const { store, quiet } = this.#context;
    for (const id of this.#first.keys()) if (store.get(id)?.fault.state !== 'active') this.#first.delete(id);
    for (const host of this.#hosts()) {
      for (const { fault } of store.live(host.subject.name)) {
        if (this.#closing.aborted) return;
        // Who holds the subject may just be changing the fault, or the node.
        if (quiet.now || host.holder !== null) continue;
        try {
          await this.#look(host, fault.id);
        } catch (error) {
          // Who is away is away for the other faults too.
          if (this.#failed(error, fault.id)) return;
        }
      }
    }
  }

  async #look(host: Host, id: string): Promise<void> {
    if (this.#ending.has(id)) return;
    const found = await this.#tampering(host, id, this.#closing);
    if (found === null) return;
    if (found.over) return this.#end(host, id);
    const now = this.#context.clock.now();
    for (const { node, missing } of found.tampered) await uncover(this.#context, host, id, node, now, { missing });
    for (const node of found.whole) await cover(this.#context, host, id, node);
  }

  /** Beside the looks at other faults: a heal takes its time, and waits for whoever holds the subject. */
  #end(host: Host, id: string): void {
    const ended = host.queued(
      'heal',
      // Looked at again now that nobody else works on the subject.
      async (work) =>
        (await this.#tampering(host, id, work.signal))?.over ? healOne(this.#context, host, id, 'outside', work.signal) : null,
      this.#closing,
    );
    this.#ending.set(
      id,
      ended.catch((error: unknown) => void this.#failed(error, id)).finally(() => this.#ending.delete(id)),
    );
  }

  /** Null when there is nothing to compare: it is not active, is not of a kind that can be looked at, or one of its nodes does not run as it did. */
  async #tampering(host: Host, id: string, signal: AbortSignal): Promise<ReturnType<typeof tampering> | null> {
    const record = this.#context.store.get(id);
    const type = knownType(host.subject.kind.adapter, record?.fault.chaos_type);
    if (record?.fault.state !== 'active' || !type?.presence) return null;
    // Kept as it is by who asked for it.
    if (record.fault.effect?.verdict === 'not_observed') return null;
    using limited = deadline('look at an active fault', lookMs, signal);
    const presence = await this.#presence(host, record, { life: type.life, presence: type.presence }, limited);
    const now = this.#context.store.get(id);
    if (presence === null || now?.fault.state !== 'active' || !isDeepStrictEqual(now.act, record.act)) return null;
    let first = this.#first.get(id);
    if (first === undefined || !isDeepStrictEqual(first.act, record.act)) {
      first = { act: record.act, presence };
      this.#first.set(id, first);
    }
    return tampering([...new Set(record.act.map((s) => s.node))], first.presence, presence);
  }

  async #presence(host: Host, record: FaultRecord, type: Supervised, signal: AbortSignal): Promise<Presence | null> {
    const scene = await sceneOf(this.#context, host, signal);
    const { fault, act, undo } = record;
    const touched = new Map(act.map((s) => [s.node, s.container_id]));
    const asItWas = scene.nodes.every((n) => {
      if (!touched.has(n.name)) return true;
      if (n.containerId !== touched.get(n.name)) return false;
      return type.life === 'lasting' || ((n.running || n.paused) && !hasRestarted(record, n.name, n.startedAt));
    });
    return asItWas ? presenceOf(await type.presence(scene, fault, undo, signal)) : null;
  }

  /** A toolbox or an engine that is away says nothing about the fault, which is looked at again: answers whether it is that. */
  #failed(error: unknown, fault: string): boolean {
    const away =
      error instanceof ToolboxError || error instanceof EngineError || (error instanceof Error && error.name === 'DeadlineError');
    if (!this.#closing.aborted) this.#context.log[away ? 'debug' : 'error']({ error, fault }, 'an active fault could not be looked at');
    return away;
  }
}
