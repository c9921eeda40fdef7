import { deadline } from '../lib/until.ts';
import { burnSubject } from '../reset/reset.ts';
import type { Running, SubjectView } from './api.ts';
import { changing, setPhase, settleFaults } from './changing.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';
import type { Registry } from './registry.ts';
import { subjectView } from './views.ts';

const burnMs = 60_000;

/** Tears a subject down without residue; a copy leaves the list. */
export function deleteUse(context: Context, registry: Registry, host: Host): Running {
  return host.exclusive('delete', async (work): Promise<SubjectView> => {
    using limited = deadline(`tear-down of ${host.subject.name}`, burnMs, work.signal);
    const onStep = (step: { id: string }) => work.phase(step.id);
    await changing(context, host, work, { during: 'deleting', after: 'absent' }, (beforeChange) =>
      burnSubject(context.reset, host.subject, { onStep, beforeChange }, limited),
    );
    await registry.drop(host);
    context.events.emit('subject.deleted', host.subject.name, { operation: work.id });
    return { ...subjectView(host, [], [], context.advertiseHost), operation: null };
  });
}

/** Rolls a reset or a tear-down that a crash cut off back to nothing. Throws what keeps it from doing so; the ledger remembers it then. */
export async function rollBack(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  using limited = deadline(`roll-back of ${host.subject.name}`, burnMs, signal);
  await burnSubject(context.reset, host.subject, { onStep: () => {}, beforeChange: async () => {} }, limited);
  await settleFaults(context, host, 0);
  await setPhase(context, host, 'absent');
  await context.ledger.forget('reset', host.subject.name);
  context.events.emit('reset.rolled_back', host.subject.name, {});
}
