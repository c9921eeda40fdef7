import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { Control, Running } from '../control/api.ts';
import type { Operation } from '../control/operation.ts';
import { Problem } from '../lib/problem.ts';
import type { Answer } from './answer.ts';
import type { Preference } from './prefer.ts';
import { bodyAnswer } from './problems.ts';

/** A call that changes something, under way. It goes on whatever becomes of its caller. */
export interface Attempt {
  /** Null: there is no operation behind it, it is over in a moment. */
  running: Running | null;
  ended: Promise<Answer>;
}

/** A call that is an operation. `success` makes the answer of its result. */
export function follow(request: FastifyRequest, running: Running, success: (result: unknown) => Answer): Attempt {
  return { running, ended: running.ended.then((operation) => endOf(request, operation, success)) };
}

/** A call that is none. */
export function brief(work: Promise<Answer>): Attempt {
  return { running: null, ended: work };
}

function endOf(request: FastifyRequest, operation: Operation, success: (result: unknown) => Answer): Answer {
  const answer = operation.state === 'succeeded' ? success(operation.result) : bodyAnswer(request, errorOf(operation));
  return { ...answer, headers: { ...answer.headers, 'x-operation-id': operation.id } };
}

function errorOf(operation: Operation) {
  if (operation.error !== null) return operation.error;
  if (operation.state === 'cancelled') {
    return new Problem('operation_cancelled', `The operation ${operation.id} was cancelled.`, { operation: operation.id }).toBody();
  }
  throw new Error(`operation ${operation.id} ended as ${operation.state} without an error`);
}

/** Its end, or its operation when the caller's patience is over first. */
export async function patient(control: Control, attempt: Attempt, preference: Preference): Promise<Answer> {
  const { running, ended } = attempt;
  if (running === null || preference.patienceMs === null) return ended;
  if (preference.patienceMs > 0) {
    const timer = new AbortController();
    const answer = await Promise.race([ended, delay(preference.patienceMs, null, { signal: timer.signal })]).finally(() => timer.abort());
    if (answer !== null) return answer;
  }
  const operation = await control.operation(running.operation.id, 0, new AbortController().signal);
  return {
    status: 202,
    headers: { location: `/v1/operations/${operation.id}`, 'preference-applied': preference.applied, 'x-operation-id': operation.id },
    body: operation,
  };
}
