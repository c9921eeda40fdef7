import { EngineError, type EngineErrorReason } from './port.ts';

/** Which method of the port was called, about what. Part of every error. */
export interface CallSite {
  op: string;
  target: string;
}

/** What the engine says, whatever status it says it with: old engines answer 403 or 500 where new ones answer 409. */
const byMessage: [RegExp, EngineErrorReason][] = [
  [/port is already allocated|address already in use/i, 'port_taken'],
  [/is already in use by container/i, 'name_taken'],
  [/is not running|is not paused|is already paused|is paused|cannot start a paused|is restarting/i, 'conflict'],
  [/marked for removal|removal of container .* in progress|has active endpoints|volume is in use/i, 'conflict'],
  [/already exists in network|network .*already exists|overlaps with|is ambiguous/i, 'conflict'],
  [/manifest unknown|manifest for .* not found|repository does not exist/i, 'not_found'],
];

/** A 404 that is not about the object asked for: the command of a container that cannot be started. */
const notAboutTheObject = /OCI runtime|shim task|executable file not found/i;

/** The error for an answer that is none of the expected ones. */
export function fromReply(at: CallSite, status: number, body: string): EngineError {
  const message = messageOf(body) || `the engine answered ${status}`;
  return new EngineError(reasonOf(status, message), message, { status, ...at });
}

/** Tells why the engine refused, from its words first and its status, where there is one, second. */
export function reasonOf(status: number | null, message: string): EngineErrorReason {
  const found = byMessage.find(([pattern]) => pattern.test(message));
  if (found) return found[1];
  if (status === 404 && !notAboutTheObject.test(message)) return 'not_found';
  return status === 409 ? 'conflict' : 'refused';
}

/** The text of an error body: `{"message"}` of the engine, or what a proxy in between wrote. */
export function messageOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string')
      return parsed.message.trim();
  } catch {
    // Not the engine's JSON: the text itself is all there is to show.
  }
  return body.trim().slice(0, 1000);
}

/**
 * The error for a call that got no whole answer. Everything that a socket or the HTTP parser raises means that the
 * engine is not there; what is left is an answer that cannot be read.
 */
export function fromFailure(at: CallSite, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (isTransportError(error)) {
    return new EngineError('unreachable', `the Docker engine does not answer: ${text}`, { status: null, ...at }, { cause: error });
  }
  return new EngineError('refused', `the engine's answer cannot be read: ${text}`, { status: null, ...at }, { cause: error });
}

function isTransportError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  if (/^((?!ERR_)E[A-Z]{2,}(_[A-Z]+)?|HPE_.*|UND_ERR_.*|ERR_STREAM_PREMATURE_CLOSE)$/.test(code)) return true;
  // Happy eyeballs wraps one error per address; undici wraps the socket's.
  return error instanceof AggregateError || /socket hang up|premature close|^aborted$|^terminated$/i.test(error.message);
}
