import type { Residue } from '../faults/fault.ts';
import type { HealthReport } from '../health/report.ts';
import { observe } from '../kind/observe.ts';
import { DeadlineError, deadline } from '../lib/until.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';
import { joinNetworks } from './membership.ts';

/** Time a node gets after the undo to be proven healthy, and while other faults are live: they may be the reason that it cannot be. */
export const recoverMs = 60_000;
const recoverAmongFaultsMs = 10_000;
/** Who restarts a node takes a moment; one that is still down after this was stopped by somebody, and waiting does not bring it back. */
const restartingMs = 5000;

/** The proof of health of the nodes that a fault was healed at, by the subject's poller: its container, its check, its adapter. Throws when it cannot be known. */
export async function recovered(
  context: Context,
  host: Host,
  fault: string,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<Residue[]> {
  await joinNetworks(context, host, signal);
  const others = context.store.live(host.subject.name).filter((r) => r.fault.state === 'active');
  const timeoutMs = others.length > 0 ? recoverAmongFaultsMs : recoverMs;
  const isUp = (report: HealthReport, name: string) => report.nodes.find((n) => n.name === name)?.health === 'up';
  const allUp = (report: HealthReport) => nodes.every((name) => isUp(report, name));
  const early = await host.poller.wait(allUp, restartingMs, signal);
  if (allUp(early)) return [];
  // What another fault holds down comes back with that one's heal.
  const held = new Set(
    context.store.live(host.subject.name).flatMap((r) => (r.fault.id === fault ? [] : r.fault.targets.map((t) => t.node))),
  );
  const down = await stopped(
    context,
    host,
    nodes.filter((n) => !held.has(n)),
    signal,
  );
  if (down.length > 0) return down;
  const report = await host.poller.wait(allUp, timeoutMs - restartingMs, signal);
  const ill = nodes.filter((name) => !isUp(report, name));
  if (ill.length === 0) return [];
  using limited = deadline('engine', 5000, signal);
  try {
    await context.engine.ping(limited);
  } catch (error) {
    if (error instanceof DeadlineError) throw new Error('the engine does not answer', { cause: error });
    throw error;
  }
  const why = `${ill.join(', ')} not healthy within ${timeoutMs} ms: ${report.issues.join('; ')}`;
  if (others.length > 0)
    throw new Error(
      `${why}; other faults are active (${others.map((r) => r.fault.id).join(', ')}), it is looked at again when one of them ends`,
    );
  return ill.map((node) => ({ node, what: why }));
}

/** The nodes that nothing will start again: a restart policy that is at work shows as `restarting`. */
async function stopped(context: Context, host: Host, nodes: readonly string[], signal: AbortSignal): Promise<Residue[]> {
  const observed = await observe(context.engine, context.owner, host.subject, signal);
  return nodes.flatMap((node) => {
    const state = observed.find((o) => o.service === node)?.detail?.state ?? 'gone';
    return state === 'running' || state === 'restarting' ? [] : [{ node, what: `its container is ${state}` }];
  });
}
