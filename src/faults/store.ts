import type { EventLog } from '../events/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { InTurn } from '../lib/in_turn.ts';
import { type Fault, type FaultRecord, isLive } from './fault.ts';

/** Ended faults that are kept, over all subjects. */
const keptEnded = 500;

/** Fields of a record that one writer knows anew. */
export type Changes = { fault?: Partial<Fault> } & Partial<Omit<FaultRecord, 'fault'>>;

/** All faults, active and past: in memory as in the ledger. What is not in the ledger is not here either. */
export class FaultStore {
  #ledger: Ledger;
  #events: EventLog;
  #records = new Map<string, FaultRecord>();
  /** A change reads, then writes: two at once would lose one. */
  #writes = new InTurn();

  constructor(ledger: Ledger, events: EventLog) {
    this.#ledger = ledger;
    this.#events = events;
    for (const { id, value } of ledger.all<FaultRecord>('fault')) this.#records.set(id, value);
  }

  /** A record as a whole, for one that nobody else has yet. Durable when it resolves; then tells it as an event when the state changed. */
  save(record: FaultRecord): Promise<void> {
    const copy = structuredClone(record);
    return this.#writes.run(record.fault.id, () => this.#write(copy));
  }

  /**
   * Sets these fields of a record, live or ended, and leaves what others wrote into it meanwhile. Durable when it resolves; then tells it as `save` does. Answers the
   * record as it is then, a copy; rejects for one that is not here.
   */
  set(id: string, { fault, ...rest }: Changes): Promise<FaultRecord> {
    const copy = structuredClone({ fault, rest });
    return this.#writes.run(id, async () => {
      const record = this.get(id);
      if (record === null) throw new Error(`There is no fault ${id}.`);
      const changed = { ...record, ...copy.rest, fault: { ...record.fault, ...copy.fault } };
      await this.#write(changed);
      return structuredClone(changed);
    });
  }

  /**
   * Changes a live record as it is now, whoever else works on a copy of it; nothing when it has ended, or when `change` answers false. Answers whether it was changed, durably.
   */
  patch(id: string, change: (record: FaultRecord) => unknown): Promise<boolean> {
    return this.#writes.run(id, async () => {
      const record = this.get(id);
      if (record === null || !isLive(record.fault.state) || change(record) === false) return false;
      await this.#write(record);
      return true;
    });
  }

  /**
   * The next hand-over of an active fault to the watchdog, newer than the last and than `held`: taken here before it is made, so that no two have the same number and whoever heals it knows
   * the newest. Null when it is not active any more.
   */
  async nextFence(id: string, held = 0): Promise<FaultRecord | null> {
    const taken: FaultRecord[] = [];
    await this.patch(id, (now) => {
      if (now.fault.state !== 'active') return false;
      now.fence = Math.max(now.fence, held) + 1;
      return taken.push(structuredClone(now));
    });
    return taken[0] ?? null;
  }

  async #write(record: FaultRecord): Promise<void> {
    const before = this.#records.get(record.fault.id)?.fault.state;
    await this.#ledger.put('fault', record.fault.id, record);
    this.#records.set(record.fault.id, record);
    const { fault } = record;
    if (before !== fault.state) {
      this.#events.emit(`fault.${fault.state}`, fault.subject, {
        fault_id: fault.id,
        chaos_type: fault.chaos_type,
        targets: fault.targets.map((t) => t.node),
        verdict: fault.heal?.verdict ?? fault.effect?.verdict ?? null,
        ended_by: fault.ended_by,
      });
    }
    if (!isLive(fault.state)) await this.#forgetOldest();
  }

  /** A copy. */
  get(id: string): FaultRecord | null {
    const record = this.#records.get(id);
    return record === undefined ? null : structuredClone(record);
  }

  /** Newest first; ids are made in order of time. */
  of(subject: string): Fault[] {
    return [...this.#records.values()]
      .map((r) => r.fault)
      .filter((f) => f.subject === subject)
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** Records of which something may still be in a subject, oldest first. Copies. */
  live(subject?: string): FaultRecord[] {
    return [...this.#records.values()]
      .filter((r) => isLive(r.fault.state) && (subject === undefined || r.fault.subject === subject))
      .sort((a, b) => (a.fault.id < b.fault.id ? -1 : 1))
      .map((r) => structuredClone(r));
  }

  async #forgetOldest(): Promise<void> {
    const ended = [...this.#records.values()].filter((r) => !isLive(r.fault.state)).sort((a, b) => (a.fault.id < b.fault.id ? -1 : 1));
    for (const { fault } of ended.slice(0, Math.max(0, ended.length - keptEnded))) {
      await this.#ledger.forget('fault', fault.id);
      this.#records.delete(fault.id);
    }
  }
}
