import { heal } from '../faults/heal.ts';
import { observe } from '../kind/observe.ts';
import { allEnded, deadline } from '../lib/until.ts';
import { type ResetRecord, setPhase, settleFaults } from './changing.ts';
import type { Context } from './context.ts';
import { rollBack } from './delete_use.ts';
import { healOne } from './fault_use.ts';
import type { Host } from './host.ts';

const lookMs = 15_000;
const healMs = 120_000;

/**
 * Brings subjects from whatever a crash left to a known state: a reset or tear-down that was cut off is rolled back to nothing, every fault that is not healed is
 * healed, what runs is adopted. Answers when all of it has ended; what could not be done is in the log, and tried again when the engine comes back.
 */
export async function recover(context: Context, hosts: readonly Host[], signal: AbortSignal): Promise<void> {
  await recoverEach(context, hosts, 'all', signal);
}

/** After the engine was away: what was cut off, and the faults that could not be looked at. Faults that are active stay so. */
export async function recoverUnknown(context: Context, hosts: readonly Host[], signal: AbortSignal): Promise<void> {
  await recoverEach(context, hosts, 'unknown', signal);
}

/** Undoes the faults of subjects that cannot be loaded now: their health cannot be proven, but nothing is left in force. */
export async function recoverHomeless(context: Context, known: (subject: string) => boolean, signal: AbortSignal): Promise<void> {
  using limited = deadline('recovery', healMs, signal);
  const nothing = async (): Promise<never> => {
    throw new Error('its kind cannot be loaded, so its health cannot be proven');
  };
  const { store, watchdog } = context;
  for (const record of context.store.live()) {
    if (!known(record.fault.subject))
      await heal(record, 'recovery', { type: null, scene: nothing, hands: context, store, watchdog, recovered: nothing }, limited);
  }
}

/** At a stop: what it cut off is rolled back while there is time. The next start does what is left. */
export async function rollBackCutOff(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  if (host.holder === null && isCutOff(context, host)) await rollBack(context, host, signal);
}

const isCutOff = (context: Context, host: Host): boolean =>
  context.ledger.all<ResetRecord>('reset').some((r) => r.value.subject === host.subject.name);

/** One subject that cannot be looked at keeps no other from its recovery. */
async function recoverEach(context: Context, hosts: readonly Host[], which: 'all' | 'unknown', signal: AbortSignal): Promise<void> {
  const work = hosts.map(async (host) => {
    try {
      await recoverOne(context, host, which, signal);
    } catch (error) {
      if (!signal.aborted) context.log.error({ error, subject: host.subject.name }, 'a subject could not be recovered');
    }
  });
  await Promise.all(work);
}

async function recoverOne(context: Context, host: Host, which: 'all' | 'unknown', signal: AbortSignal): Promise<void> {
  const cutOff = () => isCutOff(context, host);
  const due = () => context.store.live(host.subject.name).filter((r) => which === 'all' || r.fault.heal?.verdict === 'unknown');
  if (!cutOff() && due().length === 0) return adopt(context, host, signal);
  await host.queued(
    'recover',
    async (work) => {
      using limited = deadline('recovery', healMs, work.signal);
      // An operation that was in front of us in the queue may have done it.
      const rolledBack = cutOff();
      context.events.emit('recovery.started', host.subject.name, { rolled_back: rolledBack, faults: due().map((r) => r.fault.id) });
      if (rolledBack) {
        await rollBack(context, host, limited).catch((error: unknown) => {
          context.log.error({ error, subject: host.subject.name }, 'what a crash cut off could not be rolled back; the next reset does');
        });
      }
      // Of this generation a container that is gone was taken by somebody else: its fault is healed, and says what is left.
      await settleFaults(context, host, 0, host.generation);
      const faults = await allEnded(due().map((r) => healOne(context, host, r.fault.id, 'recovery', limited)));
      await adopt(context, host, limited);
      context.events.emit('recovery.done', host.subject.name, {
        faults: faults.map((f) => ({ fault_id: f.id, verdict: f.heal?.verdict ?? null })),
      });
      return { rolled_back: rolledBack, faults };
    },
    signal,
  );
}

/** Takes over what is there: the phase is what the engine shows, not what was last written down. */
async function adopt(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  using limited = deadline('adoption', lookMs, signal);
  const nodes = (await observe(context.engine, context.owner, host.subject, limited)).filter((o) => o.type !== null);
  const there = nodes.filter((o) => o.detail !== null).length;
  const phase = there === 0 ? 'absent' : there === nodes.length && host.phase === 'running' ? 'running' : 'failed';
  if (phase !== host.phase) await setPhase(context, host, phase);
  host.poller.poke();
}
