import { type Observed, observe, toNodes } from '../kind/observe.ts';
import { rfc3339 } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import type { StateView } from './api.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';

/** The subject's state now, and the containers that it was read from. Throws `subject_not_running`, `state_unavailable`, EngineError. */
export async function readState(context: Context, host: Host, signal: AbortSignal): Promise<{ view: StateView; observed: Observed[] }> {
  const capturedAt = rfc3339(context.clock.now());
  const observed = await observe(context.engine, context.owner, host.subject, signal);
  const nodes = toNodes(host.subject, observed);
  if (nodes.every((n) => n.containerId === '')) throw new Problem('subject_not_running', `${host.subject.name} is not there.`);
  const found = await host.subject.kind.adapter.state(host.reach.toolkit(host.subject.name, nodes, context.env), signal);
  if (!found.readable)
    throw new Problem('state_unavailable', `Nothing of the state of ${host.subject.name} can be read.`, { missing: found.missing });
  const view = {
    subject: host.subject.name,
    kind: host.subject.kind.name,
    captured_at: capturedAt,
    complete: found.missing.length === 0,
    missing: found.missing,
    state: found.state,
  };
  return { view, observed };
}
