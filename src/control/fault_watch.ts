import type { EngineEvent } from '../engine/port.ts';
import type { ChaosType } from '../faults/chaos_type.ts';
import type { EndedBy, FaultRecord } from '../faults/fault.ts';
import { changedPlan, reapply } from '../faults/reapply.ts';
import { chaosTypesOf, knownType } from '../faults/registry.ts';
import { rfc3339 } from '../lib/clock.ts';
import { deadline } from '../lib/until.ts';
import type { Context } from './context.ts';
import { find, healOne } from './fault_use.ts';
import type { Host } from './host.ts';
import { sceneOf } from './scene.ts';
import { uncover } from './uncover.ts';

const reapplyMs = 30_000;

/**
 * What becomes of active faults when somebody else starts, stops or thaws a node: a kill that a restart policy or a person undid is over, a fault that went with its node's process is put back or over, as was asked for. Events that come while an operation holds
 * the subject wait for their turn, and find by then whether there is still something to do.
 */
export class FaultWatch {
  #context: Context;
  #closing: AbortSignal;

  constructor(context: Context, closing: AbortSignal) {
    this.#context = context;
    this.#closing = closing;
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
    if (action === 'die') {
      for (const { record, type } of hit) if (type.life === 'volatile') await this.#uncover(host, record.fault.id, id);
    } else if (action === 'start' || action === 'unpause') {
      for (const { record, type } of hit) if (type.life === 'process') await this.#endIfOver(host, record.fault.id, false);
      // A node that came back may have another address: rules that name it elsewhere are looked at too.
      if (action === 'start')
        for (const { record, type } of active) if (type.life === 'volatile') await this.#putBack(host, record.fault.id, id);
    }
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
    const over = async (signal: AbortSignal): Promise<EndedBy | null> => {
      const record = this.#context.store.get(fault);
      return record === null || record.fault.state !== 'active' ? null : this.#overBy(host, record, engineReturned, signal);
    };
    // Looked at first without holding the subject: as a rule there is nothing to do.
    if ((await over(this.#closing)) === null) return;
    await host.queued(
      'heal',
      async (work) => {
        const endedBy = await over(work.signal);
        return endedBy === null ? null : healOne(this.#context, host, fault, endedBy, work.signal);
      },
      this.#closing,
    );
  }

  /** Null while one of its targets is still down. The engine's own count tells a restart policy from a person; an engine that comes back starts again what has the policy `always`, without counting. */
  async #overBy(host: Host, record: FaultRecord, engineReturned: boolean, signal: AbortSignal): Promise<EndedBy | null> {
    using limited = deadline('look at the targets', 10_000, signal);
    const now = await Promise.all(record.fault.targets.map((t) => this.#context.engine.inspectContainer(t.container_id, limited)));
    if (!now.every((c) => c?.state === 'running')) return null;
    const counted = record.fault.effect?.evidence.map((e) => Number(e.restart_count_before ?? 0)) ?? [];
    const always = (node: string | undefined) => host.subject.project.services.find((s) => s.name === node)?.restart.policy === 'always';
    const byPolicy = now.some(
      (c, i) => (c?.restartCount ?? 0) > (counted[i] ?? 0) || (engineReturned && always(record.fault.targets[i]?.node)),
    );
    return byPolicy ? 'restart_policy' : 'outside';
  }

  async #putBackIfRestarted(host: Host, record: FaultRecord): Promise<void> {
    using limited = deadline('look at the targets', 10_000, this.#closing);
    const inForceSince = Math.max(
      ...[record.fault.injected_at, ...record.fault.uncovered.map((u) => u.until)].map((t) => (t === null ? 0 : Date.parse(t))),
    );
    for (const { container_id } of record.fault.targets) {
      const now = await this.#context.engine.inspectContainer(container_id, limited);
      if (now === null || (now.state === 'running' && (now.startedAt ?? 0) <= inForceSince)) continue;
      await this.#uncover(host, record.fault.id, container_id, now.finishedAt ?? this.#context.clock.now());
      if (now.state === 'running') await this.#putBack(host, record.fault.id, container_id);
    }
  }

  /** Looked at without holding the subject: another node's restart as a rule changes nothing. */
  async #mustPutBack(host: Host, fault: string, started: string): Promise<boolean> {
    const record = this.#context.store.get(fault);
    const type = knownType(host.subject.kind.adapter, record?.fault.chaos_type);
    if (record === null || type === null || record.fault.state !== 'active') return false;
    if (record.fault.targets.some((t) => t.container_id === started)) return true;
    using limited = deadline('look at the addresses', 10_000, this.#closing);
    return (await changedPlan(type, await sceneOf(this.#context, host, limited), record, limited)) !== null;
  }

  #background(work: Promise<unknown>): void {
    void work.catch((error: unknown) => {
      if (!this.#closing.aborted) this.#context.log.error({ error }, 'a fault whose target changed could not be looked at');
    });
  }

  async #putBack(host: Host, fault: string, started: string): Promise<void> {
    const context = this.#context;
    if (!(await this.#mustPutBack(host, fault, started))) return;
    await host.queued(
      'reapply',
      async (work) => {
        using limited = deadline('putting a fault back', reapplyMs, work.signal);
        const record = context.store.get(fault);
        const type = knownType(host.subject.kind.adapter, record?.fault.chaos_type);
        if (record === null || type === null || record.fault.state !== 'active') return null;
        const wasHit = record.fault.targets.some((t) => t.container_id === started);
        if (wasHit && record.fault.on_target_restart === 'once') return healOne(context, host, fault, 'outside', limited);
        const scene = await sceneOf(context, host, limited);
        const down = record.fault.targets.filter((t) => scene.nodes.find((n) => n.name === t.node)?.running !== true);
        if (down.length === record.fault.targets.length) return null;
        const plan = wasHit
          ? await type.plan(scene, { fault, targets: record.fault.targets, params: record.fault.params }, limited)
          : await changedPlan(type, scene, record, limited);
        if (plan === null) return null;
        const leftMs = Math.max(1, Date.parse(record.fault.expires_at) - context.clock.now());
        const verdict = await reapply(record, plan, { type, scene, store: context.store, watchdog: context.watchdog, leftMs }, limited);
        const now = context.clock.now();
        for (const u of record.fault.uncovered.filter((x) => x.until === null && !down.some((d) => d.node === x.node))) {
          Object.assign(u, { until: rfc3339(now), ms: now - Date.parse(u.from), verdict });
        }
        await context.store.save(record);
        context.events.emit('fault.reapplied', host.subject.name, { fault_id: fault, verdict });
        return record.fault;
      },
      this.#closing,
    );
  }
}
