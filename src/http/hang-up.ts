import type { FastifyReply } from 'fastify';
import { deadline } from '../lib/until.ts';

/** Reason of a signal whose client went away. */
export class HungUp extends Error {
  constructor() {
    super('the client hung up');
    this.name = 'HungUp';
  }
}

/** Aborts when the client closes the connection before the answer was written. (`close` of the request comes as soon as a body was read.) */
export function hangUp(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new HungUp());
  });
  return controller.signal;
}

const longestReadMs = 60_000;

/** For a call that only reads: ends with the client, and at the latest a minute after the wait that the client asked for. */
export function reading(reply: FastifyReply, waitMs = 0): AbortSignal {
  const signal = deadline('reading for a request', waitMs + longestReadMs, hangUp(reply));
  reply.raw.once('close', () => signal[Symbol.dispose]());
  reply.raw.once('finish', () => signal[Symbol.dispose]());
  return signal;
}
