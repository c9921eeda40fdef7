import type { ContainerDetail, EngineEvent } from '../engine/port.ts';
import type { ChaosType } from '../faults/chaos_type.ts';
import { type EndedBy, type Fault, type FaultRecord, hasRestarted, inForceSince } from '../faults/fault.ts';
import { chaosTypesOf } from '../faults/registry.ts';
import { InTurn } from '../lib/in_turn.ts';
import { deadline, pause } from '../lib/until.ts';
import type { Context } from './context.ts';
import type { Expiry } from './expiry.ts';
import { healOne } from './fault_use.ts';
import type { Host } from './host.ts';
import { Reapplying } from './reapply.ts';
import { sceneOf } from './scene.ts';
import { cover, uncover } from './uncover.ts';

/** After these a node is down, or up again. */
const turning = new Set(['start', 'unpause', 'die', 'pause']);
/** How long after a look that failed there is another: an engine that has just come back fails easily. */
const againMs = 5000;

/** A fault that is active. */
interface Active {
  record: FaultRecord;
  type: ChaosType;
}

/**
 * What becomes of active faults when somebody else starts, stops or thaws a node: a kill that a restart policy or a person undid is over (at one of several nodes: not in force there), a fault that went with its node's process is put back or over, as was asked for. Events that come while an operation holds
 * the subject wait for their turn, and find by then whether there is still something to do.
 */
export class FaultWatch {
  #context: Context;
  #closing: AbortSignal;
  #reapplying: Reapplying;
  #looks = new InTurn();
  #againMs: number;

  constructor(context: Context, expiry: Pick<Expiry, 'remainingMs'>, closing: AbortSignal, lookAgainMs = againMs) {
    this.#context = context;
    this.#closing = closing;
    this.#againMs = lookAgainMs;
    this.#reapplying = new Reapplying(context, expiry, (host, signal) => sceneOf(context, host, signal), closing);
  }

  onContainer(host: Host, { action, id }: EngineEvent): void {
    // Each by itself: one that cannot be looked at keeps no other from it.
    for (const { record, type } of this.#active(host)) {
      const { fault } = record;
      const isTarget = fault.targets.some((t) => t.container_id === id);
      if (type.life === 'process' && isTarget && turning.has(action)) this.#background(this.#endIfOver(host, fault.id, false));
      if (type.life !== 'volatile') continue;
      if (action === 'die' && isTarget) this.#background(this.#uncover(host, fault, id));
      // A node that came back may have another address: rules that name it elsewhere are looked at too.
      if (action === 'start') this.#background(this.#reapplying.started(host, fault.id, id));
    }
  }

  /** Whatever became of a target before the fault was active: a crash that the restart policy undid, a restart that took the fault with it. */
  afterInjection(host: Host, fault: string): void {
    const found = this.#active(host).find(({ record }) => record.fault.id === fault);
    if (found !== undefined) this.#background(this.#look(host, found, false));
  }

  /** The engine was away: what happened meanwhile came with no event. */
  async afterEngineReturn(host: Host): Promise<void> {
    await Promise.all(this.#active(host).map((active) => this.#look(host, active, true)));
  }

  /** Without an event; once more when it fails. Never throws, for the other faults' sake. */
  async #look(host: Host, { record, type }: Active, engineReturned: boolean): Promise<void> {
    const { id } = record.fault;
    for (const waitMs of [0, this.#againMs]) {
      try {
        if (waitMs > 0) await pause(waitMs, this.#closing);
        if (type.life === 'process') await this.#endIfOver(host, id, engineReturned);
        if (type.life === 'volatile') await this.#looks.run(id, () => this.#putBackIfRestarted(host, id));
        return;
      } catch (error) {
        if (this.#closing.aborted) return;
        this.#context.log.error({ error, fault: id }, 'an active fault whose targets may have changed could not be looked at');
      }
    }
  }

  #active(host: Host): Active[] {
    const types = chaosTypesOf(host.subject.kind.adapter);
    return this.#context.store
      .live(host.subject.name)
      .filter((r) => r.fault.state === 'active')
      .flatMap((record) => {
        const type = types.find((t) => t.name === record.fault.chaos_type);
        return type === undefined ? [] : [{ record, type }];
      });
  }

  async #uncover(host: Host, { id, targets }: Fault, container: string): Promise<void> {
    const node = targets.find((t) => t.container_id === container)?.node;
    if (node !== undefined) await uncover(this.#context, host, id, node, this.#context.clock.now());
  }

  async #endIfOver(host: Host, fault: string, engineReturned: boolean): Promise<void> {
    // Looked at first without holding the subject: as a rule there is nothing to end.
    const endedBy = await this.#looks.run(fault, async () => {
      const seen = await this.#seen(fault, this.#closing);
      if (seen === null) return null;
      const over = this.#overBy(host, seen, engineReturned);
      if (over === null) await this.#note(host, seen);
      return over;
    });
    if (endedBy === null) return;
    await host.queued(
      'heal',
      async (work) => {
        const seen = await this.#seen(fault, work.signal);
        const over = seen === null ? null : this.#overBy(host, seen, engineReturned);
        return over === null ? null : healOne(this.#context, host, fault, over, work.signal);
      },
      this.#closing,
    );
  }

  /** Null of a fault that is not active. */
  async #seen(fault: string, signal: AbortSignal): Promise<Seen | null> {
    const record = this.#context.store.get(fault);
    if (record === null || record.fault.state !== 'active') return null;
    using limited = deadline('look at the targets', 10_000, signal);
    const now = await Promise.all(record.fault.targets.map((t) => this.#context.engine.inspectContainer(t.container_id, limited)));
    return { record, now };
  }

  /** Null while one of its targets is still down. The engine's own count tells a restart policy from a person; an engine that comes back starts again what has the policy `always`, without counting. */
  #overBy(host: Host, { record, now }: Seen, engineReturned: boolean): EndedBy | null {
    if (!now.every((c) => c?.state === 'running')) return null;
    const counted = record.fault.effect?.evidence.map((e) => Number(e.restart_count_before ?? 0)) ?? [];
    const always = (node: string | undefined) => host.subject.project.services.find((s) => s.name === node)?.restart.policy === 'always';
    const byPolicy = now.some(
      (c, i) => (c?.restartCount ?? 0) > (counted[i] ?? 0) || (engineReturned && always(record.fault.targets[i]?.node)),
    );
    return byPolicy ? 'restart_policy' : 'outside';
  }

  /** Of several targets some run and some do not: where they run it is not in force, until they are down again. */
  async #note(host: Host, { record, now }: Seen): Promise<void> {
    const { fault } = record;
    for (const [i, { node }] of fault.targets.entries()) {
      if (now[i]?.state !== 'running') {
        await cover(this.#context, host, fault.id, node);
        continue;
      }
      await uncover(this.#context, host, fault.id, node, this.#timeOf(fault, node, now[i]?.startedAt));
    }
  }

  /** The engine's time of what became of a node, unless that cannot be: one that was thawed started long ago, and the engine's clock need not be ours. Else now. */
  #timeOf(fault: Fault, node: string, told: number | null | undefined): number {
    const now = this.#context.clock.now();
    return typeof told === 'number' && told > inForceSince(fault, node) && told <= now ? told : now;
  }

  async #putBackIfRestarted(host: Host, id: string): Promise<void> {
    const seen = await this.#seen(id, this.#closing);
    if (seen === null) return;
    const { fault } = seen.record;
    let restarted: string | null = null;
    for (const [i, { node, container_id }] of fault.targets.entries()) {
      const now = seen.now[i] ?? null;
      const alive = now?.state === 'running' || now?.state === 'paused';
      if (now === null || (alive && !hasRestarted(seen.record, node, now.startedAt))) continue;
      await uncover(this.#context, host, id, node, this.#timeOf(fault, node, now.finishedAt));
      if (alive) restarted = container_id;
    }
    // Once: it is put back at all of them.
    if (restarted !== null) await this.#reapplying.started(host, id, restarted);
  }

  #background(work: Promise<unknown>): void {
    void work.catch((error: unknown) => {
      if (!this.#closing.aborted) this.#context.log.error({ error }, 'a fault whose target changed could not be looked at');
    });
  }
}

/** A fault's targets as the engine has them now, in their order. */
interface Seen {
  record: FaultRecord;
  now: (ContainerDetail | null)[];
}
