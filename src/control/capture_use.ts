import { type Capture, type CaptureSummary, summaryOf } from '../captures/capture.ts';
import { type Comparison, compare } from '../captures/comparison.ts';
import { fingerprint } from '../captures/fingerprint.ts';
import type { Observed } from '../kind/observe.ts';
import { newId } from '../lib/id.ts';
import { Problem } from '../lib/problem.ts';
import type { Page, Paged } from './api.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';
import { paged } from './page.ts';
import type { Registry } from './registry.ts';
import { readState } from './state_use.ts';

/**
 * Reads the state and keeps it, durably, with what it was taken from. Throws what `readState` throws; `subject_busy` when containers are being replaced
 * meanwhile, as the parts would be of different generations; `storage_unavailable`.
 */
export async function captureUse(context: Context, host: Host, { label }: { label?: string }, signal: AbortSignal): Promise<Capture> {
  const { generation } = host;
  requireWhole(host, generation);
  const [{ view, observed }, engine] = await Promise.all([readState(context, host, signal), context.engine.info(signal)]);
  requireWhole(host, generation);
  const capture: Capture = {
    id: newId('cap'),
    subject: view.subject,
    kind: view.kind,
    generation,
    captured_at: view.captured_at,
    label: label ?? null,
    faults: context.store.live(view.subject).map(({ fault: { id, chaos_type, state } }) => ({ id, chaos_type, state })),
    nodes: nodesIn(observed),
    complete: view.complete,
    missing: view.missing,
    fingerprint: fingerprint(view.kind, observed, engine, context.version),
    state: view.state,
  };
  signal.throwIfAborted();
  await context.captures.put(capture);
  context.events.emit('capture.taken', capture.subject, {
    capture_id: capture.id,
    label: capture.label,
    complete: capture.complete,
    digest: capture.fingerprint.digest,
  });
  return capture;
}

function nodesIn(observed: readonly Observed[]): Capture['nodes'] {
  return observed.flatMap(({ service, type, detail }) =>
    type === null ? [] : [{ name: service, type, state: detail?.state ?? 'absent' }],
  );
}

function requireWhole(host: Host, generation: number): void {
  const { replacing } = host;
  if (replacing === null && host.generation === generation) return;
  throw new Problem('subject_busy', `${host.subject.name} is being replaced: there is no one state to capture.`, {
    operation: replacing,
    retry_after_s: 1,
  });
}

/** Newest first, without their states. Throws `subject_not_found` for a name that no subject has and no capture has had. */
export async function captures(context: Context, registry: Registry, subject: string, page: Page): Promise<Paged<CaptureSummary>> {
  const { items: ids, next_cursor } = paged(idsOf(context, registry, subject), page, (id) => id);
  const items = await Promise.all(ids.map((id) => context.captures.get(id)));
  return { items: items.filter((c) => c !== null).map(summaryOf), next_cursor };
}

/** Throws `subject_not_found`, `capture_not_found`. */
export async function findCapture(context: Context, registry: Registry, subject: string, id: string): Promise<Capture> {
  const known = idsOf(context, registry, subject).includes(id);
  const capture = known ? await context.captures.get(id) : null;
  if (capture === null) throw new Problem('capture_not_found', `${subject} has no such capture.`);
  return capture;
}

/** `b` may be of any subject of the kind, of one that is gone too. Throws `subject_not_found`, `capture_not_found`, `not_comparable`. */
export async function compareUse(context: Context, registry: Registry, subject: string, a: string, b: string): Promise<Comparison> {
  const from = await findCapture(context, registry, subject, a);
  const to = await context.captures.get(b);
  if (to === null) throw new Problem('capture_not_found', 'There is no such capture to compare with.');
  if (from.kind !== to.kind)
    throw new Problem('not_comparable', `One is of ${from.kind}, the other of ${to.kind}.`, { kinds: [from.kind, to.kind] });
  const kind = context.kinds.find((k) => k.name === from.kind);
  return compare(from, to, kind?.adapter.volatile ?? []);
}

/** A subject that is gone is known by its captures. */
function idsOf(context: Context, registry: Registry, subject: string): string[] {
  const ids = context.captures.of(subject);
  if (ids.length === 0) registry.require(subject);
  return ids;
}
