import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pino from 'pino';
import type { Running } from '../../src/control/api.ts';
import { type ControlHandle, createControl } from '../../src/control/create.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import { isLive } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { loggerOptions, readSettings } from '../../src/settings.ts';
import type { Answer, Answers, Order } from './messages.ts';
import { type CrashPoint, during, instrument } from './points.ts';

/** The service without its HTTP surface, in a process that dies where it is told to. Started by the driver with the kinds' folders as arguments. */

const settings = readSettings(process.env, process.cwd());
const [files = '', code = ''] = process.argv.slice(2);
const recoveryMs = 60_000;
const healthMs = 30_000;
const service: { handle: ControlHandle | null } = { handle: null };

const control = () => {
  if (service.handle === null) throw new Error('the service was not started');
  return service.handle.control;
};

async function start(): Promise<Answers['start']> {
  const began = performance.now();
  using limited = deadline('recovery', recoveryMs);
  const from = lastEvent();
  service.handle = await createControl({
    ...settings,
    version: '0.0.0-test',
    engine: createEngine(settings.dockerHost === null ? {} : { dockerHost: settings.dockerHost }),
    log: pino(loggerOptions(settings), pino.destination({ dest: 2, sync: true })),
    kindFolders: [{ files, code }],
    env: process.env,
    instrument,
  });
  const { events } = control();
  await until(
    async () => {
      const joined = events.after(from, 1000).some((e) => e.type === 'toolbox.joined');
      const subjects = await control().subjects(limited);
      const settled = subjects.every(
        (s) =>
          s.operation === null &&
          control()
            .faults(s.name, { limit: 500 })
            .items.every((f) => !isLive(f.state)),
      );
      return joined && settled ? true : undefined;
    },
    10,
    limited,
  ).catch((error: unknown) => {
    // What is still live is the audit's to tell.
    if (!limited.aborted) throw error;
  });
  return { recovered_ms: Math.round(performance.now() - began) };
}

function lastEvent(): number {
  try {
    const lines = readFileSync(join(settings.dataDir, 'events.ndjson'), 'utf8').trimEnd().split('\n');
    return (JSON.parse(lines.at(-1) ?? '{}') as { id?: number }).id ?? 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

async function status(subject: string): Promise<Answers['status']> {
  using limited = deadline('status', healthMs + 10_000);
  const view = await control().subject(subject, limited);
  const report = view.phase === 'running' ? await control().health(subject, { wait: true, timeoutMs: healthMs }, limited) : null;
  return {
    subject: view,
    faults: control().faults(subject, { limit: 500 }).items,
    issues: report === null || report.healthy ? [] : report.issues,
    owner: readFileSync(join(settings.dataDir, 'owner'), 'utf8').trim(),
  };
}

async function types(subject: string): Promise<Answers['types']> {
  using limited = deadline('chaos types', 20_000);
  return (await control().chaosTypes(subject, limited)).map(({ name, available, detail }) => ({ name, available, detail }));
}

async function run(order: Order & { do: 'run' }): Promise<Answers['run']> {
  const { point } = order;
  const at = (call: string, nth: number, when: CrashPoint['when']) => {
    if (point !== null && call === point.call && nth === point.nth && when === point.when) die({ died: true });
  };
  let running: Running | null = null;
  const calls = await during(() => {
    running = begin(order);
    return running.ended;
  }, at);
  const operation = await (running as Running | null)?.ended;
  if (operation === undefined) throw new Error('the operation was not begun');
  // This time it went another way round: cut off when all is done, which is a case as well.
  if (point !== null) die({ died: false });
  return { operation, calls };
}

function begin({ operation, subject, request, fault }: Order & { do: 'run' }): Running {
  if (operation === 'inject') return control().inject(subject, request);
  if (operation === 'reset') return control().reset(subject, {});
  return control().heal(subject, fault ?? '');
}

function die(last: { died: boolean }): void {
  writeSync(1, `${JSON.stringify({ answer: last })}\n`);
  process.kill(process.pid, 'SIGKILL');
  // Nothing more happens here, however long the signal takes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'start':
      return start();
    case 'status':
      return status(order.subject);
    case 'types':
      return types(order.subject);
    case 'reset':
      return control().reset(order.subject, {}).ended;
    case 'delete':
      return control().deleteSubject(order.subject).ended;
    case 'inject':
      return control().inject(order.subject, order.request).ended;
    case 'run':
      return run(order);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer: Answer = await obey(JSON.parse(line) as Order).then(
    (value) => ({ answer: value }),
    (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
  writeSync(1, `${JSON.stringify(answer)}\n`);
}
// The driver has closed the line: a normal end.
await service.handle?.close(10_000);
process.exit(0);
