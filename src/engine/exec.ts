import { DeadlineError, deadline, until } from '../lib/until.ts';
import type { Client } from './client.ts';
import { demux } from './demux.ts';
import type { CallSite } from './errors.ts';
import { containerPath } from './paths.ts';
import { EngineError, type ExecOptions, type ExecResult } from './port.ts';

const defaultMaxBytes = 256 * 1024;

/** How long the engine may take to note the exit after the output has ended. */
const exitDeadlineMs = 10_000;

/** The runtime could not run the command: no such file, not executable. Its message, in whatever place the engine puts it. */
const notRun = /OCI runtime exec failed/;
const notFound = /executable file not found|no such file or directory/;

/** The same words for a container that went away in between: not the command's fault. */
const notThere = /cannot exec in a (stopped|paused)|container .*(is not running|is paused|not found)|(stopped|paused) container/i;

/**
 * Engine.exec: create, start, inspect, and no more round trips than these three as a rule. The output is read without a
 * connection upgrade, as the signal would not reach an upgraded one; it ends the same way when the command ends and when
 * the connection is lost, so only the inspection tells the end.
 */
export async function exec(
  client: Client,
  id: string,
  argv: string[],
  signal: AbortSignal,
  options: ExecOptions = {},
): Promise<ExecResult> {
  const at = { op: 'exec', target: id };
  const created = await client.json<{ Id: string }>({
    ...at,
    method: 'POST',
    path: `${containerPath(at)}/exec`,
    json: {
      Cmd: argv,
      AttachStdout: true,
      AttachStderr: true,
      ...(options.user === undefined ? {} : { User: options.user }),
      ...(options.env ? { Env: Object.entries(options.env).map(([key, value]) => `${key}=${value}`) } : {}),
    },
    signal,
  });
  const path = `/exec/${created.Id}`;
  try {
    const maxBytes = options.maxBytes ?? defaultMaxBytes;
    const output = await client.request(
      { ...at, method: 'POST', path: `${path}/start`, json: { Detach: false, Tty: false }, signal },
      async ({ body }) => {
        const kept = { stdout: new Capped(maxBytes), stderr: new Capped(maxBytes) };
        for await (const piece of demux(body)) kept[piece.stream].add(piece.data);
        return { stdout: kept.stdout.text(), stderr: kept.stderr.text() };
      },
    );
    signal.throwIfAborted();
    const exitCode = await exitOf(client, at, path, signal);
    return classify(at, { exitCode, ...output });
  } catch (error) {
    if (error instanceof EngineError && error.status !== null && notRun.test(error.message)) {
      return classify(at, { exitCode: 126, stdout: error.message, stderr: '' });
    }
    throw error;
  }
}

/** Engine 20.10 writes the runtime's refusal to stdout and calls every one 126; a shell says 127 where there is no such file. */
function classify(at: CallSite, result: ExecResult): ExecResult {
  if (result.exitCode !== 126 && result.exitCode !== 127) return result;
  const message = [result.stdout, result.stderr].find((text) => notRun.test(text))?.trim();
  if (message === undefined) return result;
  if (notThere.test(message)) throw new EngineError('conflict', message, { status: null, ...at });
  return { exitCode: notFound.test(message) ? 127 : 126, stdout: '', stderr: message };
}

async function exitOf(client: Client, at: CallSite, path: string, signal: AbortSignal): Promise<number> {
  using limit = deadline('the exit code of a command whose output has ended', exitDeadlineMs, signal);
  try {
    return await until(
      async (inner) => {
        const seen = await client.json<{ Running: boolean; ExitCode: number | null }>({
          ...at,
          method: 'GET',
          path: `${path}/json`,
          signal: inner,
        });
        return !seen.Running && typeof seen.ExitCode === 'number' ? seen.ExitCode : undefined;
      },
      10,
      limit,
    );
  } catch (error) {
    if (error instanceof DeadlineError && !signal.aborted) {
      throw new EngineError(
        'unreachable',
        `lost the output of a command that still runs: ${error.message}`,
        { status: null, ...at },
        { cause: error },
      );
    }
    throw error;
  }
}

/** Keeps the first bytes; the rest is read and dropped, so that the command does not block on it. */
class Capped {
  private readonly kept: Buffer[] = [];
  private room: number;

  constructor(maxBytes: number) {
    this.room = maxBytes;
  }

  add(data: Buffer): void {
    if (this.room === 0) return;
    const part = data.subarray(0, this.room);
    this.room -= part.length;
    this.kept.push(part);
  }

  /** A character that the cut went through is left out. */
  text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(this.kept), { stream: this.room === 0 });
  }
}
