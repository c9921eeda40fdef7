import { DeadlineError, deadline, until } from '../lib/until.ts';
import type { Client } from './client.ts';
import { demux } from './demux.ts';
import type { CallSite } from './errors.ts';
import { classifyExec, classifyExecError } from './exec-result.ts';
import { orNull } from './missing.ts';
import { containerPath } from './paths.ts';
import type { ExecStage, PauseGate } from './pause-gate.ts';
import { EngineError, type ExecOptions, type ExecResult } from './port.ts';

const defaultMaxBytes = 256 * 1024;

/** How long the engine may take to note the exit after the output has ended. */
const exitDeadlineMs = 10_000;

interface ExecState {
  Running: boolean;
  ExitCode: number | null;
  Pid: number;
}

/** Engine.exec: create, start, inspect; these three round trips as a rule, more only while a pause waits or the exit is not noted yet. */
export function exec(
  client: Client,
  gate: PauseGate,
  id: string,
  argv: string[],
  signal: AbortSignal,
  options: ExecOptions = {},
): Promise<ExecResult> {
  const at = { op: 'exec', target: id };
  return gate.command(id, signal, async (watch) => {
    const path = `/exec/${await create(client, at, argv, signal, options)}`;
    const look = (inner: AbortSignal) => client.json<ExecState>({ ...at, method: 'GET', path: `${path}/json`, signal: inner });
    watch(async (inner) => stageOf(await orNull(() => look(inner))));
    try {
      const output = await start(client, at, path, options.maxBytes ?? defaultMaxBytes, signal);
      signal.throwIfAborted();
      return classifyExec(at, { exitCode: await exitOf(at, look, signal), ...output });
    } catch (error) {
      return classifyExecError(at, error);
    }
  });
}

async function create(client: Client, at: CallSite, argv: string[], signal: AbortSignal, options: ExecOptions): Promise<string> {
  const json = {
    Cmd: argv,
    AttachStdout: true,
    AttachStderr: true,
    ...(options.user === undefined ? {} : { User: options.user }),
    ...(options.env ? { Env: Object.entries(options.env).map(([key, value]) => `${key}=${value}`) } : {}),
  };
  const created = await client.json<{ Id: string }>({ ...at, method: 'POST', path: `${containerPath(at)}/exec`, json, signal });
  return created.Id;
}

/**
 * Starts the command and reads its output to the end. Without a connection upgrade, as the signal would not reach an upgraded
 * one. The output ends the same way when the command ends and when the connection is lost: only an inspection tells them apart.
 */
function start(
  client: Client,
  at: CallSite,
  path: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ stdout: string; stderr: string }> {
  return client.request({ ...at, method: 'POST', path: `${path}/start`, json: { Detach: false, Tty: false }, signal }, async ({ body }) => {
    const kept = { stdout: new Capped(maxBytes), stderr: new Capped(maxBytes) };
    for await (const piece of demux(body)) kept[piece.stream].add(piece.data);
    return { stdout: kept.stdout.text(), stderr: kept.stderr.text() };
  });
}

async function exitOf(at: CallSite, look: (signal: AbortSignal) => Promise<ExecState>, signal: AbortSignal): Promise<number> {
  using limit = deadline('the exit code of a command whose output has ended', exitDeadlineMs, signal);
  try {
    return await until(
      async (inner) => {
        const seen = await look(inner);
        return !seen.Running && typeof seen.ExitCode === 'number' ? seen.ExitCode : undefined;
      },
      10,
      limit,
    );
  } catch (error) {
    if (!(error instanceof DeadlineError) || signal.aborted) throw error;
    const message = `the output of a command ended while it still runs (${error.message})`;
    throw new EngineError('unreachable', message, { status: null, ...at }, { cause: error });
  }
}

function stageOf(seen: ExecState | null): ExecStage {
  if (!seen || seen.Pid > 0) return 'there_or_over';
  if (seen.Running) return 'begun';
  return seen.ExitCode === null ? 'not_begun' : 'there_or_over';
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
