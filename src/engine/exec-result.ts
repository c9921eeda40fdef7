import type { CallSite } from './errors.ts';
import { EngineError, type ExecResult } from './port.ts';

/** How the engine and its runtime begin when they could not start a command. */
const refused = /^(OCI runtime exec failed|cannot exec|container is not running|task \S+ not found|unable to find (user|group))/;

/** The runtime names the command, or the engine the user: the caller's mistake. All other refusals are the container's state. */
const ofTheCommand = /: exec: "|^unable to find/;
const noSuchFile = /executable file not found|no such file or directory/;

/**
 * Tells a command that ended from one that was never started. Engine 20.10 answers 200, writes its refusal to the command's
 * stdout and calls every one 126. Here a command that cannot be run is 127 (no such file) or 126, as in a shell, with the
 * message in stderr; a container that stopped in between throws `conflict`.
 */
export function classifyExec(at: CallSite, result: ExecResult): ExecResult {
  if (result.exitCode !== 126 && result.exitCode !== 127) return result;
  const message = result.stdout.trim();
  if (result.stderr !== '' || !refused.test(message)) return result;
  return notStarted(at, message, null);
}

/** The engine forgets the commands of a container that ends, also one that it has not begun or whose exit nobody has asked for yet. */
const forgotten = /^no such exec instance/i;

/** The same for an engine that answers the start of the command, or the question how it ended, with an error status. */
export function classifyExecError(at: CallSite, error: unknown): ExecResult {
  if (error instanceof EngineError && forgotten.test(error.message)) {
    const message = `the container ended before its command did (${error.message})`;
    throw new EngineError('conflict', message, { status: error.status, ...at }, { cause: error });
  }
  if (error instanceof EngineError && error.status !== null && refused.test(error.message))
    return notStarted(at, error.message, error.status);
  throw error;
}

function notStarted(at: CallSite, message: string, status: number | null): ExecResult {
  if (ofTheCommand.test(message)) return { exitCode: noSuchFile.test(message) ? 127 : 126, stdout: '', stderr: message };
  throw new EngineError('conflict', message, { status, ...at });
}
