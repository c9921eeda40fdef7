import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Control } from '../control/api.ts';
import type { Clock } from '../lib/clock.ts';
import { Problem } from '../lib/problem.ts';
import type { Answer } from './answer.ts';
import type { IdempotencyStore } from './idempotency-store.ts';
import { parsePrefer } from './prefer.ts';
import { answerTo, problemAnswer } from './problems.ts';
import { type Attempt, brief, patient } from './running.ts';

/** How an answer is kept with its key and told again that is too large to be kept whole, and can be read again. */
export interface Recall {
  keep(answer: Answer): Answer;
  tell(kept: Answer): Promise<Answer>;
}

const whole: Recall = { keep: (answer) => answer, tell: async (kept) => kept };

/**
 * Answers calls that change something: a POST with an `Idempotency-Key` runs once, whoever asks again gets the first answer, or waits for it
 * while it is under way.
 */
export class Once {
  #control: Control;
  #store: IdempotencyStore;
  #clock: Clock;
  #underWay = new Map<string, { fingerprint: string; attempt: Attempt }>();

  constructor(control: Control, store: IdempotencyStore, clock: Clock) {
    this.#control = control;
    this.#store = store;
    this.#clock = clock;
  }

  /** Never rejects for what `begin` throws: that becomes an answer, and is kept like one. */
  async answer(request: FastifyRequest, begin: () => Attempt, recall: Recall = whole): Promise<Answer> {
    const preference = parsePrefer(request.headers.prefer);
    const key = request.method === 'POST' ? request.headers['idempotency-key'] : undefined;
    if (typeof key !== 'string') return patient(this.#control, attemptOf(request, begin), preference);

    const fingerprint = fingerprintOf(request);
    const kept = this.#store.get(key);
    if (kept !== undefined) {
      if (kept.fingerprint !== fingerprint) return problemAnswer(request, reused());
      return replayed(request, await recall.tell(kept.answer).catch((error: unknown) => problemAnswer(request, error)));
    }
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) {
      if (underWay.fingerprint !== fingerprint) return problemAnswer(request, reused());
      return replayed(request, await patient(this.#control, underWay.attempt, preference));
    }

    const attempt = attemptOf(request, begin);
    this.#underWay.set(key, { fingerprint, attempt });
    try {
      const answer = asItIsNow(await patient(this.#control, attempt, preference));
      if (worthKeeping(answer)) await this.#keep(request, key, { fingerprint, at: this.#clock.now(), answer: recall.keep(answer) });
      return answer;
    } finally {
      this.#underWay.delete(key);
    }
  }

  /** The work is done and its answer true, whether or not it can be kept. */
  async #keep(request: FastifyRequest, key: string, kept: { fingerprint: string; at: number; answer: Answer }): Promise<void> {
    try {
      await this.#store.put(key, kept);
    } catch (error) {
      request.log.error({ err: error }, 'the answer to an idempotency key could not be made durable');
    }
  }
}

function attemptOf(request: FastifyRequest, begin: () => Attempt): Attempt {
  try {
    const { running, ended } = begin();
    return { running, ended: ended.catch((error: unknown) => problemAnswer(request, error)) };
  } catch (error) {
    return brief(Promise.resolve(problemAnswer(request, error)));
  }
}

/** What changed nothing and is cured by asking again must not stick to the key. */
function worthKeeping(answer: Answer): boolean {
  return answer.status !== 503 && (answer.body as { code?: unknown } | null)?.code !== 'subject_busy';
}

/** The views that an answer holds go on living; what is kept must not. */
function asItIsNow(answer: Answer): Answer {
  return { ...answer, body: JSON.parse(JSON.stringify(answer.body)) as unknown };
}

function replayed(request: FastifyRequest, first: Answer): Answer {
  const answer = answerTo(request, first);
  return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } };
}

function reused(): Problem {
  return new Problem('idempotency_key_reused', 'This key came with another method, path or body before.');
}

function fingerprintOf(request: FastifyRequest): string {
  return createHash('sha256')
    .update(`${request.method} ${request.url}\n${canonical(request.body)}`)
    .digest('base64');
}

/** JSON with sorted names: the same for bodies that mean the same. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_name, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
