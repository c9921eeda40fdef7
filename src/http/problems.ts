import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Problem, type ProblemBody, type ProblemCode } from '../lib/problem.ts';
import { type Answer, send } from './answer.ts';
import { HungUp } from './hang-up.ts';

const problemType = 'application/problem+json';

const frameworkCodes: Record<string, ProblemCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
  FST_ERR_NOT_FOUND: 'not_found',
};

/** Any error in the words of the table. What is not meant for callers becomes `internal`, without its text. */
function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code = '', statusCode = 500, message } = (error ?? {}) as Partial<FastifyError>;
  const known = frameworkCodes[code] ?? (statusCode === 403 || statusCode === 404 ? 'not_found' : null);
  if (known !== null) return new Problem(known, problemDetail[known] ?? `${message}`);
  if (statusCode >= 400 && statusCode < 500) return new Problem('invalid_request', `The request cannot be read: ${message}`);
  return new Problem('internal', 'Something went wrong inside the service.', {}, { cause: error });
}

const problemDetail: Partial<Record<ProblemCode, string>> = {
  payload_too_large: 'The body has more than 65536 bytes.',
  unsupported_media_type: 'Bodies are JSON, sent as Content-Type: application/json.',
  not_found: 'There is nothing at this path.',
};

/** The answer that an error becomes. An unforeseen one is logged with its stack. */
export function problemAnswer(request: FastifyRequest, error: unknown): Answer {
  const problem = toProblem(error);
  if (problem.code === 'internal') request.log.error({ err: error }, 'request failed');
  return bodyAnswer(request, problem.toBody());
}

/** The same for the body of a problem that an operation ended with. */
export function bodyAnswer(request: FastifyRequest, body: ProblemBody): Answer {
  return {
    status: body.status,
    headers: { 'content-type': problemType, ...extraHeaders(body) },
    body: { ...body, ...about(request) },
  };
}

/** An answer that was another request's first: a problem names the request that it is given to. */
export function answerTo(request: FastifyRequest, answer: Answer): Answer {
  if (answer.headers['content-type'] !== problemType) return answer;
  return { ...answer, body: { ...(answer.body as ProblemBody), ...about(request) } };
}

function about(request: FastifyRequest): { instance: string; request_id: string } {
  return { instance: (request.url.split('?')[0] ?? '').slice(0, 500), request_id: request.id };
}

function extraHeaders(body: ProblemBody): Record<string, string> {
  if (body.code === 'unauthorized') return { 'www-authenticate': 'Bearer realm="subjectd"' };
  if (body.code === 'method_not_allowed') return { allow: [body.allowed].flat().join(', ') };
  if (body.code !== 'subject_busy' && body.status !== 503) return {};
  const seconds = Number(body.retry_after_s ?? 1);
  return { 'retry-after': String(Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : 1) };
}

/** The one place where errors leave the service. */
export function onError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const gone = error instanceof HungUp || (reply.raw.destroyed && toProblem(error).code === 'internal');
  if (gone) {
    request.log.info({ err: error }, 'the client hung up');
    reply.hijack();
    return;
  }
  send(reply, problemAnswer(request, error));
}
