import type { HttpAnswer } from '../../src/kind/adapter.ts';
import { parseExact, record, text } from './json.ts';

/** Why PD gave no usable answer. `why` is one short line for people. */
export interface PdFailure {
  kind: 'not_bootstrapped' | 'no_leader' | 'error' | 'malformed' | 'unreachable';
  why: string;
}
export type PdAnswer<T> = { kind: 'ok'; body: T } | PdFailure;

/**
 * What a PD reply means. `parse` answers null for a body of another shape, which makes the answer `malformed`.
 * Leaderless PDs say so in several ways (500 ErrRedirect, 500 ErrLeaderNil, 503): all are `no_leader`.
 */
export function classify<T>(answer: HttpAnswer, parse: (body: unknown) => T | null): PdAnswer<T> {
  if (!answer.reached) return { kind: 'unreachable', why: answer.why };
  if (answer.status !== 200) return failure(answer.status, message(answer.text));
  const body = decode(answer.text);
  if (body === undefined) return { kind: 'malformed', why: `200 without JSON: ${excerpt(answer.text)}` };
  const parsed = parse(body);
  return parsed === null ? { kind: 'malformed', why: `200 of another shape: ${excerpt(answer.text)}` } : { kind: 'ok', body: parsed };
}

/** The sentence in an error body of any of PD's four shapes: JSON string, JSON object with `msg`, plain text, a Go panic (its first line only). */
export function message(body: string): string {
  const decoded = decode(body);
  return excerpt(text(decoded) ?? text(record(decoded)?.msg) ?? body);
}

function failure(status: number, said: string): PdFailure {
  const why = said === '' ? `status ${status}` : `status ${status}: ${said}`;
  if (said.includes('ErrNotBootstrapped')) return { kind: 'not_bootstrapped', why };
  if (status === 503 || /Err(Redirect|LeaderNil|NotLeader)/.test(said)) return { kind: 'no_leader', why };
  return { kind: 'error', why };
}

function decode(body: string): unknown {
  try {
    return parseExact(body);
  } catch {
    return undefined; // not JSON: PD's content type does not tell, so this is the test
  }
}

function excerpt(body: string): string {
  const line = body.trim().split('\n', 1)[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
