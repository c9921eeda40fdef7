/**
 * The one table of errors. Every error that leaves the service is one of these, as RFC 9457
 * `application/problem+json`; `next` tells the caller what to do about it.
 */
export const problemTable = {
  invalid_request: { status: 400, title: 'The request is not valid', next: 'Correct the named field; /docs shows the schema.' },
  unknown_chaos_type: { status: 400, title: 'Unknown chaos type', next: 'Take one of the supported chaos types from GET …/chaos-types.' },
  unknown_target: {
    status: 400,
    title: 'The target names nothing in this subject',
    next: 'Take a node, type or role from GET /v1/subjects/{subject}.',
  },
  unauthorized: { status: 401, title: 'A bearer token is required', next: 'Send Authorization: Bearer <SUBJECTD_TOKEN>.' },
  forbidden_host: { status: 403, title: 'The Host header is not allowed', next: 'Add the name to SUBJECTD_ALLOWED_HOSTS.' },
  forbidden_origin: {
    status: 403,
    title: 'The Origin header is not allowed',
    next: 'Call the service from a page it served itself, or without a browser.',
  },
  not_found: { status: 404, title: 'There is nothing at this path', next: 'See /docs for the routes.' },
  kind_not_found: { status: 404, title: 'No such kind', next: 'GET /v1/kinds lists them.' },
  subject_not_found: { status: 404, title: 'No such subject', next: 'GET /v1/subjects lists them; POST /v1/subjects makes another.' },
  fault_not_found: { status: 404, title: 'No such fault', next: 'GET …/faults lists active and past faults.' },
  capture_not_found: {
    status: 404,
    title: 'No such capture',
    next: 'GET …/captures lists those that are kept; the oldest ones are dropped.',
  },
  operation_not_found: {
    status: 404,
    title: 'No such operation',
    next: 'Operations are kept for the last 1000; look at the subject itself.',
  },
  method_not_allowed: { status: 405, title: 'This path does not take this method', next: 'See /docs for the routes.' },
  subject_busy: {
    status: 409,
    title: 'Another operation holds the subject',
    next: 'Wait for the named operation or cancel it; DELETE …/faults always gets through.',
  },
  subject_exists: { status: 409, title: 'A subject of this name exists', next: 'Choose another name, or use the one that is there.' },
  project_conflict: {
    status: 409,
    title: 'The project name is held by somebody else',
    next: 'Remove the named project yourself, or set SUBJECTD_PROJECT_PREFIX.',
  },
  name_conflict: {
    status: 409,
    title: 'A container of another project carries a name that this subject needs',
    next: 'Rename or remove that container; it was not touched.',
  },
  port_taken: {
    status: 409,
    title: 'A host port that the subject publishes is taken',
    next: 'Free the port, set the kind’s port variable, or set SUBJECTD_PORT_OFFSET.',
  },
  fault_conflict: { status: 409, title: 'Another fault is in the way', next: 'Heal the named fault first.' },
  fault_ended: { status: 409, title: 'The fault has ended', next: 'Inject a new one.' },
  operation_cancelled: { status: 409, title: 'The operation was cancelled', next: 'Reset the subject to get a known state.' },
  payload_too_large: { status: 413, title: 'The body is too large', next: 'Send at most 64 KiB.' },
  unsupported_media_type: { status: 415, title: 'The body is not JSON', next: 'Send Content-Type: application/json.' },
  IMAGE_UNAVAILABLE: {
    status: 422,
    title: 'An image of this kind is not on the engine and cannot be had',
    next: 'Load or pull the image, or name another by the kind’s image variable.',
  },
  compose_invalid: { status: 422, title: 'The compose file cannot be used', next: 'Correct the file at the named line and column.' },
  subject_not_running: { status: 422, title: 'The subject is not running', next: 'Reset it first.' },
  no_candidate: { status: 422, title: 'No running node can be the target', next: 'Heal the active faults, or choose another target.' },
  chaos_unavailable: { status: 422, title: 'This chaos type cannot be had here', next: 'See the reason in GET …/chaos-types.' },
  effect_not_observed: {
    status: 422,
    title: 'The fault had no observable effect and was undone',
    next: 'Read the evidence; require_effect: false keeps such a fault.',
  },
  kind_mismatch: {
    status: 422,
    title: 'The captures are of different kinds',
    next: 'Compare captures of one kind; they may be of different subjects.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key was used with another request',
    next: 'Use a new Idempotency-Key for a new request.',
  },
  internal: { status: 500, title: 'The service failed', next: 'Look for the request id in the service’s log and report it.' },
  engine_unavailable: {
    status: 503,
    title: 'The Docker engine does not answer',
    next: 'Start the engine; the service recovers by itself when it is back.',
  },
  engine_error: {
    status: 503,
    title: 'The Docker engine refused a call',
    next: 'Read the engine’s message; reset the subject to get a known state.',
  },
  toolbox_unavailable: {
    status: 503,
    title: 'The toolbox on the engine cannot be had',
    next: 'Look at the container subjectd-toolbox and its log; the service brings it back by itself when it can.',
  },
  toolbox_error: {
    status: 503,
    title: 'The toolbox could not do it',
    next: 'Read the toolbox’s message; what was begun was undone.',
  },
  ledger_unavailable: { status: 503, title: 'The ledger cannot be written', next: 'Free space in SUBJECTD_DATA_DIR; nothing was changed.' },
  storage_unavailable: {
    status: 503,
    title: 'The data directory cannot be written',
    next: 'Free space in SUBJECTD_DATA_DIR, then ask again; nothing was kept.',
  },
  state_unavailable: {
    status: 503,
    title: 'Nothing of the state can be read',
    next: 'Wait for the subject to be healthy, or heal the active faults.',
  },
  interrupted: {
    status: 503,
    title: 'The service stopped while this was under way',
    next: 'What was under way was undone at the restart; make the request again.',
  },
  shutting_down: { status: 503, title: 'The service is shutting down', next: 'Try again when it is back.' },
  not_healthy: {
    status: 504,
    title: 'The subject was not healthy in time',
    next: 'Read the nodes and their last log lines; raise timeout_ms if they only are slow.',
  },
  node_failed: { status: 504, title: 'A node exited or can never become healthy', next: 'Read its last log lines.' },
} as const satisfies Record<string, { status: number; title: string; next: string }>;

export type ProblemCode = keyof typeof problemTable;

/** The members every problem carries, and whatever extras the place that raised it adds. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail: string;
  next: string;
  [extra: string]: unknown;
}

/** An error from the table. `detail` is one sentence for a person; `extra` is merged into the body for programs. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, extra: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'Problem';
    this.code = code;
    this.extra = extra;
  }

  get status(): number {
    return problemTable[this.code].status;
  }

  /** The RFC 9457 body. Never holds a stack trace. */
  toBody(): ProblemBody {
    const { status, title, next } = problemTable[this.code];
    return { ...this.extra, type: `urn:subjectd:problem:${this.code}`, title, status, code: this.code, detail: this.message, next };
  }
}
