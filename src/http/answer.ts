import type { FastifyReply } from 'fastify';

/** An answer as data, so that it can be kept and given again. */
export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** JSON. */
  body: unknown;
}

/** Writes an answer as JSON, with every field it has. */
export function send(reply: FastifyReply, answer: Answer): FastifyReply {
  return reply.code(answer.status).type('application/json').headers(answer.headers).serializer(JSON.stringify).send(answer.body);
}
