/** Errors of the limiter's API, as RFC 9457 problem details. */
const problemTable = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  not_found: { status: 404, title: 'There is nothing at this path' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body is not JSON' },
  too_many_limits: { status: 422, title: 'Too many limits are stored' },
  redis_refused: { status: 500, title: 'Redis refused a command' },
  internal: { status: 500, title: 'The service failed' },
  redis_unavailable: { status: 503, title: 'Redis does not answer' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problemTable;

/** An error from the table with one sentence about this case. */
export class Problem extends Error {
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'Problem';
    this.code = code;
  }
}

/** The body and status of what a handler threw. Never holds a stack trace. */
export function toBody(error: unknown): { status: number; body: Record<string, unknown> } {
  const { code, detail } = classify(error);
  const { status, title } = problemTable[code];
  return { status, body: { type: `urn:ratelimiter:problem:${code}`, title, status, code, detail } };
}

function classify(error: unknown): { code: ProblemCode; detail: string } {
  if (error instanceof Problem) return { code: error.code, detail: error.message };
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  const detail = typeof message === 'string' ? message : 'The request cannot be read.';
  if (statusCode === 413) return { code: 'payload_too_large', detail };
  if (statusCode === 415) return { code: 'unsupported_media_type', detail };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return { code: 'invalid_request', detail };
  return { code: 'internal', detail: 'Look into the log of this node.' };
}
