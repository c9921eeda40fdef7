import type { Capture, CaptureSummary } from '../captures/capture.ts';
import type { Comparison } from '../captures/comparison.ts';
import type { ContainerState } from '../engine/port.ts';
import type { Event } from '../events/log.ts';
import type { Fault } from '../faults/fault.ts';
import type { TargetRequest } from '../faults/select.ts';
import type { HealthReport } from '../health/report.ts';
import type { Operation, Phase } from './operation.ts';

/**
 * The use cases of the service, as its HTTP surface calls them. Every method throws `Problem`s only. Calls that change a subject answer a
 * `Running`: the work goes on whatever becomes of the caller, and ends only by itself or by `cancel`.
 */
export interface Control {
  kinds(signal: AbortSignal): Promise<KindView[]>;
  kind(name: string, signal: AbortSignal): Promise<KindView>;

  subjects(signal: AbortSignal): Promise<SubjectView[]>;
  subject(name: string, signal: AbortSignal): Promise<SubjectView>;
  /** Makes another copy of a kind; it is `absent` until it is reset. */
  createSubject(request: { kind: string; name?: string }, signal: AbortSignal): Promise<SubjectView>;
  /** Result: SubjectView as it is after the tear-down. */
  deleteSubject(name: string): Running;
  /** Result: ResetResult. */
  reset(name: string, options: { timeoutMs?: number }): Running;

  /** `fresh` polls now; `wait` answers when healthy or when `timeoutMs` is over, whichever comes first. Never throws because the subject is ill. */
  health(name: string, options: { fresh?: boolean; wait?: boolean; timeoutMs?: number }, signal: AbortSignal): Promise<HealthView>;
  state(name: string, signal: AbortSignal): Promise<StateView>;

  /** Reads the state and keeps it, durably, with a fingerprint of what it was taken from. */
  capture(name: string, options: { label?: string }): Promise<Capture>;
  /** Newest first. Those of a subject that is gone can still be read. */
  captures(name: string, page: Page): Promise<Paged<CaptureSummary>>;
  findCapture(name: string, id: string): Promise<Capture>;
  /** How `b`, of whichever subject of the same kind, differs from `a`. */
  compareCaptures(name: string, a: string, b: string): Promise<Comparison>;

  chaosTypes(name: string, signal: AbortSignal): Promise<ChaosTypeView[]>;
  /** What an injection would do: targets, plan and undo. Nothing is stored or changed. */
  planFault(name: string, request: FaultRequest, signal: AbortSignal): Promise<FaultPlanView>;
  /** Result: Fault. */
  inject(name: string, request: FaultRequest): Running;
  /** Newest first. */
  faults(name: string, page: Page): Paged<Fault>;
  fault(name: string, id: string): Fault;
  renewFault(name: string, id: string, ttlMs: number): Promise<Fault>;
  /** Result: Fault. Idempotent: a healed fault is answered as it is. */
  heal(name: string, id: string): Running;
  /** Cancels whatever holds the subject, then heals all. Result: `{faults: Fault[]}`. */
  healAll(name: string): Running;

  /** Waits up to `waitMs` for its end, then answers it as it is. */
  operation(id: string, waitMs: number, signal: AbortSignal): Promise<Operation>;
  /** Asks it to stop and answers it; idempotent. */
  cancelOperation(id: string): Operation;

  events: EventSource;
  /** For /readyz. */
  readiness(signal: AbortSignal): Promise<{ engine: boolean; ledger: boolean }>;
  /** Prometheus text of the service. */
  metrics(): Promise<{ contentType: string; text: string }>;
}

/** Work in progress. `ended` resolves (never rejects) with the operation in its end state. */
export interface Running {
  operation: Operation;
  ended: Promise<Operation>;
}

export interface EventSource {
  after(after: number, limit: number, subject?: string): Event[];
  /** Oldest id still kept and newest id so far. */
  readonly first: number;
  readonly last: number;
  subscribe(listener: (event: Event) => void): () => void;
}

export interface Page {
  limit: number;
  /** From `next_cursor` of the page before. */
  cursor?: string;
}
export interface Paged<T> {
  items: T[];
  next_cursor: string | null;
}

export interface KindView {
  name: string;
  summary: string;
  node_types: Record<string, string[]>;
  roles: string[];
  chaos_types: string[];
  images: { image: string; variable: string | null; present: boolean; id: string | null; services: string[] }[];
  available: boolean;
  /** `IMAGE_UNAVAILABLE`, `COMPOSE_INVALID`, `ENGINE_UNAVAILABLE`; null when available. */
  reason: string | null;
  detail: string | null;
}

export type SubjectPhase = 'absent' | 'resetting' | 'running' | 'failed' | 'deleting' | 'unknown';

export interface SubjectView {
  name: string;
  kind: string;
  project: string;
  phase: SubjectPhase;
  generation: number;
  nodes: NodeView[];
  endpoints: EndpointView[];
  /** Holder of the subject now. */
  operation: string | null;
}

export interface NodeView {
  name: string;
  type: string;
  container: string;
  /** Null: there is no container. */
  container_id: string | null;
  /** `absent` when there is no container. */
  state: ContainerState | 'absent';
  role?: string;
}

export interface EndpointView {
  node: string;
  port: number;
  protocol: 'tcp' | 'udp';
  /** `host:port` for a runner elsewhere; null when the port is not published. */
  outside: string | null;
  /** `host:port` on the subject's network. */
  inside: string;
}

export interface ResetResult {
  operation: string;
  subject: string;
  generation: number;
  healthy: true;
  duration_ms: number;
  phases: Phase[];
  /** Faults that were healed first, strangers that were moved off the network, a compose file or an image that changed meanwhile and was not used. */
  notes: string[];
}

export type HealthView = HealthReport;

export interface StateView {
  subject: string;
  kind: string;
  captured_at: string;
  complete: boolean;
  missing: string[];
  state: Record<string, unknown>;
}

export interface ChaosTypeView {
  name: string;
  summary: string;
  available: boolean;
  /** Reason code when not available, and the reason in words. */
  reason: string | null;
  detail: string | null;
  mechanism: string | null;
  params_schema: Record<string, unknown>;
  default_target: Record<string, unknown>;
}

export interface FaultRequest {
  chaos_type: string;
  target?: TargetRequest;
  params?: Record<string, unknown>;
  seed?: number;
  ttl_ms?: number;
  require_effect?: boolean;
  on_target_restart?: 'reapply' | 'once';
}

export interface FaultPlanView {
  dry_run: true;
  subject: string;
  chaos_type: string;
  seed: number;
  targets: Fault['targets'];
  selection: Fault['selection'];
  params: Record<string, unknown>;
  mechanism: string;
  plan: Record<string, unknown>[];
  undo: Record<string, unknown>[];
  ttl_ms: number;
}
