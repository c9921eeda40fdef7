import type { FastifySchema } from 'fastify';
import { type TSchema, type TUnknown, Type } from 'typebox';
import { type ProblemCode, problemTable } from '../lib/problem.ts';
import { Operation } from './schemas/operation.ts';
import { Problem } from './schemas/problem.ts';
import { type Component, strict } from './schemas/types.ts';

/** The groups of the contract. */
type Tag = 'Service' | 'Kinds' | 'Subjects' | 'Faults' | 'Captures' | 'Operations' | 'Events';

interface Success {
  description: string;
  /** A component, or a schema for each media type. */
  body: Component<unknown> | Record<string, TSchema>;
  headers?: Record<string, TSchema>;
  /** Answered at once, without an operation. */
  direct?: boolean;
}

interface Description<P extends TSchema, Q extends TSchema, B extends TSchema> {
  id: string;
  tag: Tag;
  summary: string;
  description: string;
  params?: P;
  query?: Q;
  body?: B;
  /** Requests that run as they stand. */
  examples?: Record<string, { summary: string; value: unknown }>;
  headers?: Record<string, TSchema>;
  success: Record<number, Success>;
  /** Beyond those that every call can have. */
  errors?: readonly ProblemCode[];
  /** It changes a subject, as an operation. */
  operation?: boolean;
  /** It needs no token, and takes any query. */
  open?: boolean;
}

const always: readonly ProblemCode[] = ['invalid_request', 'unauthorized', 'forbidden_host', 'forbidden_origin', 'internal'];
const withBody: readonly ProblemCode[] = ['payload_too_large', 'unsupported_media_type'];
/** Of every call that names a subject: one whose file or kind cannot be used says so instead of answering. */
const ofSubject: readonly ProblemCode[] = ['subject_not_found', 'kind_not_found', 'compose_invalid'];
const whenChanging: readonly ProblemCode[] = ['operation_cancelled', 'ledger_unavailable', 'shutting_down'];

const Prefer = Type.String({
  description:
    '`respond-async` answers 202 with the operation at once, `wait=N` after N seconds (RFC 7240). Without it the call waits for the end.',
});

const IdempotencyKey = Type.String({
  pattern: '^[\\x21-\\x7e]{1,255}$',
  description: 'The first answer to this key is given again to the same request, and 422 to another. Kept for 24 hours.',
});

const OperationId = Type.String({ description: 'The operation behind this call.' });

/** One route's part of the contract: everything that its document and its validation need. */
export function operation<P extends TSchema = TUnknown, Q extends TSchema = TUnknown, B extends TSchema = TUnknown>(
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  about: Description<P, Q, B>,
): FastifySchema & { params: P; querystring: Q; body: B } {
  const post = method === 'POST';
  const headers = {
    ...(about.operation ? { Prefer: Type.Optional(Prefer) } : {}),
    ...(post ? { 'Idempotency-Key': Type.Optional(IdempotencyKey) } : {}),
    ...about.headers,
  };
  const codes = byStatus(problemCodes(method, about));
  const schema = {
    operationId: about.id,
    tags: [about.tag],
    summary: about.summary,
    description: about.description,
    ...(about.params ? { params: about.params } : {}),
    ...(about.query ? { querystring: about.query } : about.open ? {} : { querystring: Type.Object({}, strict) }),
    ...(about.body ? { body: about.body } : {}),
    ...(Object.keys(headers).length > 0 ? { headers: Type.Object(headers) } : {}),
    ...(about.examples ? { 'x-examples': about.examples } : {}),
    ...(about.open ? { security: [] } : {}),
    'x-problems': codes,
    response: { ...successes(about), ...problems(codes) },
  };
  return schema as unknown as FastifySchema & { params: P; querystring: Q; body: B };
}

function problemCodes(
  method: string,
  about: { params?: TSchema; errors?: readonly ProblemCode[]; operation?: boolean; open?: boolean; body?: TSchema },
): ProblemCode[] {
  const named = (about.params as { properties?: object } | undefined)?.properties ?? {};
  return [
    ...(about.open ? (['invalid_request'] as const) : always),
    ...('subject' in named ? ofSubject : []),
    // A DELETE takes none, but may come with one, which is then read to be refused.
    ...(about.body || method === 'DELETE' ? withBody : []),
    ...(method === 'POST' ? (['idempotency_key_reused'] as const) : []),
    ...(about.operation ? whenChanging : method === 'GET' ? [] : (['shutting_down'] as const)),
    ...(about.errors ?? []),
  ];
}

function successes(about: { success: Record<number, Success>; operation?: boolean }): Record<string, object> {
  const written = Object.entries(about.success).map(([status, success]) => {
    const headers = { ...(about.operation && !success.direct ? { 'X-Operation-Id': OperationId } : {}), ...success.headers };
    return [status, { description: success.description, ...headersOf(headers), content: contentOf(success.body) }];
  });
  if (about.operation) written.push(['202', accepted]);
  return Object.fromEntries(written);
}

const accepted = {
  description: 'The operation goes on; this was asked for with `Prefer`.',
  headers: {
    Location: Type.String({ description: 'The operation.' }),
    'Preference-Applied': Type.String(),
    'X-Operation-Id': OperationId,
  },
  content: { 'application/json': { schema: Operation.ref } },
};

function headersOf(headers: Record<string, TSchema>): { headers?: Record<string, TSchema> } {
  return Object.keys(headers).length > 0 ? { headers } : {};
}

function contentOf(body: Success['body']): Record<string, { schema: TSchema }> {
  if ('ref' in body) return { 'application/json': { schema: body.ref as TSchema } };
  return Object.fromEntries(Object.entries(body).map(([type, schema]) => [type, { schema }]));
}

function byStatus(codes: readonly ProblemCode[]): Record<string, ProblemCode[]> {
  const found: Record<string, ProblemCode[]> = {};
  for (const code of new Set(codes)) {
    const { status } = problemTable[code];
    found[status] = [...(found[status] ?? []), code];
  }
  return found;
}

function problems(codes: Record<string, ProblemCode[]>): Record<string, object> {
  const retry = { headers: { 'Retry-After': Type.Integer({ description: 'Seconds.' }) } };
  const written = Object.entries(codes).map(([status, these]) => {
    const lines = these.map((code) => `\`${code}\`: ${problemTable[code].title}.`);
    const busy = status === '503' || these.includes('subject_busy');
    return [
      status,
      {
        description: lines.length === 1 ? lines[0] : lines.map((line) => `- ${line}`).join('\n'),
        ...(busy ? retry : {}),
        content: { 'application/problem+json': { schema: Problem.ref } },
      },
    ];
  });
  return Object.fromEntries(written);
}
