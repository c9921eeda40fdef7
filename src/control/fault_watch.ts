import type { ContainerDetail, EngineEvent } from '../engine/port.ts';
import type { ChaosType } from '../faults/chaos_type.ts';
import { type EndedBy, type FaultRecord, inForceSince } from '../faults/fault.ts';
import { chaosTypesOf } from '../faults/registry.ts';
import { InTurn } from '../lib/in_turn.ts';
import { deadline } from '../lib/until.ts';
import type { Context } from './context.ts';
import type { Expiry } from './expiry.ts';
import { find, healOne } from './fault_use.ts';
import type { Host } from './host.ts';
import { Reapplying } from './reapply.ts';
import { sceneOf } from './scene.ts';
import { cover, uncover } from './uncover.ts';

/** After these a node is down, or up again. */
const turning = new Set(['start', 'unpause', 'die', 'pause']);

/**
 * What becomes of active faults when somebody else starts, stops or thaws a node: a kill that a restart policy or a person undid is over (at one of several nodes: not in force there), a fault that went with its node's process is put back or over, as was asked for. Events that come while an operation holds
 * the subject wait for their turn, and find by then whether there is still something to do.
 */
export class FaultWatch {
  #context: Context;
  #closing: AbortSignal;
  #reapplying: Reapplying;
  #looks = new InTurn();

  constructor(context: Context, expiry: Pick<Expiry, 'remainingMs'>, closing: AbortSignal) {
    this.#context = context;
    this.#closing = closing;
    this.#reapplying = new Reapplying(context, expiry, (host, signal) => sceneOf(context, host, signal), closing);
  }

  onContainer(host: Host, event: EngineEvent): void {
    this.#background(this.#onContainer(host, event));
  }

  /** A crash may have been undone by the restart policy before anybody could look. */
  afterInjection(host: Host, fault: string): void {
    const found = this.#active(host).find(({ record }) => record.fault.id === fault);
    if (found?.type.life === 'process') this.#background(this.#endIfOver(host, fault, false));
  }

  /** The engine was away: what happened meanwhile came with no event. */
  async afterEngineReturn(host: Host): Promise<void> {
    for (const { record, type } of this.#active(host)) {
      if (type.life === 'process') await this.#endIfOver(host, record.fault.id, true);
      if (type.life === 'volatile') await this.#putBackIfRestarted(host, record);
    }
  }

  async #onContainer(host: Host, { action, id }: EngineEvent): Promise<void> {
    const active = this.#active(host);
    const hit = active.filter(({ record }) => record.fault.targets.some((t) => t.container_id === id));
    if (action === 'die') for (const { record, type } of hit) if (type.life === 'volatile') await this.#uncover(host, record.fault.id, id);
    if (turning.has(action))
      for (const { record, type } of hit) if (type.life === 'process') await this.#endIfOver(host, record.fault.id, false);
    // A node that came back may have another address: rules that name it elsewhere are looked at too.
    if (action === 'start')
      for (const { record, type } of active) if (type.life === 'volatile') await this.#reapplying.started(host, record.fault.id, id);
  }

  #active(host: Host): { record: FaultRecord; type: ChaosType }[] {
    const types = chaosTypesOf(host.subject.kind.adapter);
    return this.#context.store
      .live(host.subject.name)
      .filter((r) => r.fault.state === 'active')
      .flatMap((record) => {
        const type = types.find((t) => t.name === record.fault.chaos_type);
        return type === undefined ? [] : [{ record, type }];
      });
  }

  async #uncover(host: Host, fault: string, container: string, since = this.#context.clock.now()): Promise<void> {
    const { targets } = find(this.#context, host, fault).fault;
    const node = targets.find((t) => t.container_id === container)?.node;
    if (node !== undefined) await uncover(this.#context, host, fault, node, since);
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
      // One that was thawed started long ago.
      const started = now[i]?.startedAt ?? 0;
      await uncover(this.#context, host, fault.id, node, started > inForceSince(fault) ? started : this.#context.clock.now());
    }
  }

  async #putBackIfRestarted(host: Host, record: FaultRecord): Promise<void> {
    using limited = deadline('look at the targets', 10_000, this.#closing);
    for (const { container_id } of record.fault.targets) {
      const now = await this.#context.engine.inspectContainer(container_id, limited);
      if (now === null || (now.state === 'running' && (now.startedAt ?? 0) <= inForceSince(record.fault))) continue;
      await this.#uncover(host, record.fault.id, container_id, now.finishedAt ?? this.#context.clock.now());
      if (now.state === 'running') await this.#reapplying.started(host, record.fault.id, container_id);
    }
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
