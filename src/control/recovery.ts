import { observe } from '../kind/observe.ts';
import { deadline } from '../lib/until.ts';
import type { Context } from './context.ts';
import { healLive } from './fault_use.ts';
import type { Host } from './host.ts';
import { type ResetRecord, rollBack, setPhase } from './reset_use.ts';

const lookMs = 15_000;
const healMs = 120_000;

/**
 * Brings every subject from whatever a crash left to a known state: a reset or tear-down that was cut off is rolled back to nothing, every fault that is not healed is
 * healed, what runs is adopted. Answers when all of it has ended.
 */
export async function recover(context: Context, hosts: readonly Host[], signal: AbortSignal): Promise<void> {
  await Promise.all(hosts.map((host) => recoverOne(context, host, signal)));
}

async function recoverOne(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  const cutOff = context.ledger.all<ResetRecord>('reset').some((r) => r.value.subject === host.subject.name);
  const live = context.store.live(host.subject.name);
  if (!cutOff && live.length === 0) return adopt(context, host, signal);
  await host.queued(
    'recover',
    async (work) => {
      using limited = deadline('recovery', healMs, work.signal);
      context.events.emit('recovery.started', host.subject.name, { rolled_back: cutOff, faults: live.map((r) => r.fault.id) });
      if (cutOff) await rollBack(context, host, limited);
      const { faults } = await healLive(context, host, 'recovery', limited);
      await adopt(context, host, limited);
      context.events.emit('recovery.done', host.subject.name, {
        faults: faults.map((f) => ({ fault_id: f.id, verdict: f.heal?.verdict ?? null })),
      });
      return { rolled_back: cutOff, faults };
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
