import type { Capture, CapturedFault, CaptureSummary } from '../captures/capture.ts';
import { type Comparison, compare } from '../captures/comparison.ts';
import { fingerprint } from '../captures/fingerprint.ts';
import { capturedNodes } from '../captures/nodes.ts';
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
  const before = { generation: host.generation, faults: liveFaults(context, host) };
  requireWhole(host, before.generation);
  const [{ view, observed }, engine] = await Promise.all([readState(context, host, signal), context.engine.info(signal)]).catch(
    (error: unknown) => {
      // What could not be read, as it was being taken down, is not missing.
      requireWhole(host, before.generation);
      throw error;
    },
  );
  requireWhole(host, before.generation);
  const capture: Capture = {
    id: context.captures.newId(),
    subject: view.subject,
    kind: view.kind,
    generation: before.generation,
    captured_at: view.captured_at,
    label: label ?? null,
    faults: union(before.faults, liveFaults(context, host)),
    complete: view.complete,
    missing: view.missing,
    fingerprint: fingerprint(view.kind, observed, engine, context.version),
    nodes: capturedNodes(observed),
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

function liveFaults(context: Context, host: Host): CapturedFault[] {
  return context.store.live(host.subject.name).map(({ fault: { id, chaos_type, state, targets, params } }) => {
    return { id, chaos_type, state, targets: targets.map((t) => t.node), params };
  });
}

/** One that came or went meanwhile may be in what was read, or not: it is told as it was when it was there last. */
function union(before: readonly CapturedFault[], after: readonly CapturedFault[]): CapturedFault[] {
  return [...new Map([...before, ...after].map((fault) => [fault.id, fault])).values()];
}

function requireWhole(host: Host, generation: number): void {
  const { replacing } = host;
  if (replacing === null && host.generation === generation) return;
  throw new Problem('subject_busy', `${host.subject.name} is being replaced: there is no one state to capture.`, {
    ...(replacing === null ? {} : { operation: replacing }),
    retry_after_s: 1,
  });
}

/** Newest first, without what they hold. Throws `subject_not_found` for a name that no subject has and no capture has had. */
export async function captures(context: Context, registry: Registry, subject: string, page: Page): Promise<Paged<CaptureSummary>> {
  const { items: ids, next_cursor } = paged(idsOf(context, registry, subject), page, (id) => id);
  const items: CaptureSummary[] = [];
  // One after the other: a page of all at once would be read while nothing else is.
  for (const id of ids) {
    const summary = await context.captures.summary(id);
    if (summary !== null) items.push(summary);
  }
  return { items, next_cursor };
}

/** Throws `subject_not_found`, `capture_not_found`. */
export async function findCapture(context: Context, registry: Registry, subject: string, id: string): Promise<Capture> {
  const known = idsOf(context, registry, subject).includes(id);
  const capture = known ? await context.captures.get(id) : null;
  if (capture === null) throw new Problem('capture_not_found', `${subject} has no capture ${id.slice(0, 64)}.`);
  return capture;
}

/** `b` may be of any subject of the kind, of one that is gone too. Throws `subject_not_found`, `capture_not_found`, `kind_mismatch`, `kind_not_found`. */
export async function compareUse(context: Context, registry: Registry, subject: string, a: string, b: string): Promise<Comparison> {
  const from = await findCapture(context, registry, subject, a);
  const to = await context.captures.get(b);
  if (to === null) throw new Problem('capture_not_found', `There is no capture ${b.slice(0, 64)} to compare with.`);
  if (from.kind !== to.kind)
    throw new Problem('kind_mismatch', `One is of ${from.kind}, the other of ${to.kind}.`, { kinds: [from.kind, to.kind] });
  return compare(from, to, registry.kind(from.kind).adapter);
}

/** A subject that is gone is known by its captures. */
function idsOf(context: Context, registry: Registry, subject: string): string[] {
  const ids = context.captures.of(subject);
  if (ids.length === 0) registry.require(subject);
  return ids;
}
