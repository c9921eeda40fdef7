import type { Clock } from '../lib/clock.ts';

/**
 * What a kind adds to the defaults: how to know that the system is healthy, what its state is, which role each node has.
 * Reset (from the compose file), container health and the generic faults are inherited. An adapter never touches Docker:
 * it gets the node list and a Toolkit. Every method must honour the signal, and must answer (not throw) when single nodes
 * do not: a node that cannot be asked is a finding, not an error.
 */
export interface Adapter {
  readonly kind: string;
  /** One line for the catalogue. */
  readonly summary: string;
  /** Type of each compose service that is a node of the system; a service that is absent here (a load generator, Prometheus) is not a node. */
  readonly nodeTypes: Readonly<Record<string, string>>;
  /** Target of a fault when the request names none. */
  readonly defaultTarget: Readonly<DefaultTarget>;
  /** Environment variables of the compose file that name images, for the catalogue and IMAGE_UNAVAILABLE. */
  readonly imageVariables: readonly string[];
  /** The system's own opinion, beyond the containers. Fast: every request to a node is bounded by about two seconds, all nodes are asked at once. */
  health(toolkit: Toolkit, signal: AbortSignal): Promise<SystemHealth>;
  /** The system's state in its own terms; volatile values are fine. What could not be read is named in `missing`. */
  state(toolkit: Toolkit, signal: AbortSignal): Promise<SystemState>;
  /**
   * What of the state changes by itself: a comparison of two captures sets it apart. Dotted names, `*` for any one step, elements of lists by their `name`, `node`, `key`
   * or `id`; each stands for all below it. A step with a dot in it stands in quotes, as JSON; that holds for `missing` too.
   */
  readonly volatile?: readonly string[];
  /** The same for what is another after each reset (ids that the system gives out, start times). Within a generation it is compared: there it tells of a restart. */
  readonly perGeneration?: readonly string[];
  /** Who has which role now. A node may have several or none. */
  roles(toolkit: Toolkit, signal: AbortSignal): Promise<Role[]>;
  /** Roles that `target: {role}` may name. */
  readonly roleNames: readonly string[];
  /** Chaos types beside the general ones. */
  readonly chaosTypes?: readonly KindChaos[];
}

export type DefaultTarget = { type: string } | { role: string } | { node: string };

/** One member of the subject as the engine sees it now. */
export interface Node {
  /** Compose service. */
  readonly name: string;
  readonly type: string;
  readonly container: string;
  readonly containerId: string;
  /** Running and not paused. */
  readonly running: boolean;
  /** Milliseconds since the epoch; null: never started. */
  readonly startedAt: number | null;
  /** On the subject's first network; null while it does not run. */
  readonly address: string | null;
}

/** The adapter's hands. Nothing here throws for a node that is down except as noted. */
export interface Toolkit {
  readonly subject: string;
  /** All nodes of the subject, running or not, in the compose file's order; observed when the toolkit was made. */
  readonly nodes: readonly Node[];
  readonly clock: Clock;
  /** Environment the compose file was resolved with (`TIKV_STORE_HEARTBEAT`, …). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * One HTTP request to a node's port, over a new or pooled connection of this generation. Answers `unreached` with a short reason when the node
   * does not run, refuses, or does not answer in `timeoutMs` (default 2000). Bodies are text (cut at 8 MiB): parse them yourself.
   */
  http(node: Node, port: number, path: string, options: HttpOptions, signal: AbortSignal): Promise<HttpAnswer>;
  /** Sends bytes to a node's TCP port and reads until `done(received)` or the end. Same rules as `http`. */
  tcp(
    node: Node,
    port: number,
    send: string,
    done: (received: string) => boolean,
    options: { timeoutMs?: number },
    signal: AbortSignal,
  ): Promise<TcpAnswer>;
  /** Runs a command inside the node. Same rules. */
  exec(node: Node, argv: string[], options: { timeoutMs?: number }, signal: AbortSignal): Promise<ExecAnswer>;
}

export interface HttpOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers?: Record<string, string>;
  body?: string;
  timeoutMs?: number;
}

export interface Unreached {
  reached: false;
  /** `not running`, `refused`, `timeout after 2000 ms`, … */
  why: string;
}
export type HttpAnswer = { reached: true; status: number; headers: Record<string, string>; text: string } | Unreached;
export type TcpAnswer = { reached: true; text: string } | Unreached;
export type ExecAnswer = { reached: true; exitCode: number; stdout: string; stderr: string } | Unreached;

export type NodeHealth = 'up' | 'down' | 'offline' | 'unknown';

export interface SystemHealth {
  /** True only with positive proof from the system itself, for this start of every node. */
  healthy: boolean;
  /** One entry for each node, in the order of Toolkit.nodes. `address` is the node's main port as `host:port` inside the subject's network. */
  nodes: { name: string; health: NodeHealth; address: string }[];
  /** Sentences for people; empty when healthy. */
  issues: string[];
  /** More in the system's own terms. JSON. */
  details: Record<string, unknown>;
}

export interface SystemState {
  state: Record<string, unknown>;
  /** Dotted names of what could not be read. */
  missing: string[];
  /** False: nothing at all could be read. */
  readable: boolean;
}

export interface Role {
  node: string;
  role: string;
  /** The reply that proves it, short. */
  proof: Record<string, unknown>;
}

/**
 * A chaos type of a kind's own, or a name of its own for one of the general ones. It touches nothing itself: its plan is made of steps of the closed vocabulary, so that the ledger and the watchdog can undo it
 * without loading the adapter.
 */
export type KindChaos = Alias | Own;

/** The general chaos type `of`, under another name, at another default target. */
interface Alias {
  name: string;
  summary: string;
  of: string;
  defaultTarget: DefaultTarget;
  /** Types of the nodes that it can hit; left out: all. */
  nodeTypes?: readonly string[];
}

interface Own {
  name: string;
  summary: string;
  of: null;
  defaultTarget: DefaultTarget;
  /** Types of the nodes that it can hit; left out: all. */
  nodeTypes?: readonly string[];
  /** JSON Schema of `params`, with defaults. */
  paramsSchema: Readonly<Record<string, unknown>>;
  /** For one target; everything made by it must carry `fault`. */
  plan(fault: string, params: Readonly<Record<string, unknown>>): { act: KindStep[]; undo: KindStep[] };
  /** What the witness compares: read before the act and after it, and after the heal. Throws when the node cannot be asked. */
  measure(
    toolkit: Toolkit,
    fault: string,
    params: Readonly<Record<string, unknown>>,
    node: string,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Did it take hold? */
  judge(
    before: Readonly<Record<string, unknown>>,
    after: Readonly<Record<string, unknown>>,
    params: Readonly<Record<string, unknown>>,
  ): 'confirmed' | 'not_observed' | 'inconclusive';
  /** What is left, given a measurement after the heal; empty is clean. */
  residue(now: Readonly<Record<string, unknown>>): string[];
}

/** The steps that a kind may use; the node is the target. */
export interface KindStep {
  op: 'node.tcp';
  port: number;
  /** Sent over TCP to the node itself; the answer must match `expect`, a regular expression. Must be idempotent. */
  send: string;
  expect: string;
}
