import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createEngine } from '../src/engine/dockerode.ts';
import { deadline } from '../src/lib/until.ts';
import { adapter as etcd } from '../subjects/etcd/adapter.ts';
import { alone } from './alone.ts';
import { busyAbove, loadPerCore, machineFacts, residentMemory } from './machine.ts';
import { measureHealth } from './measure/health.ts';
import { measureKill } from './measure/kill.ts';
import { type Contest, measureReset, type ResetFigures } from './measure/reset.ts';
import { composePortOffset, root } from './names.ts';
import { isWhole, isWholeStudy, type Options, parseOptions, SPEED_PARTS, usage } from './options.ts';
import { Peer } from './peer.ts';
import { rewriteReadme } from './readme.ts';
import { markdown } from './report/markdown.ts';
import type { Results } from './report/results.ts';
import { svg } from './report/svg.ts';
import { withService } from './service.ts';
import { eachStudy } from './studies.ts';
import type { Study, StudyKind } from './study.ts';
import { adapter as sixnode } from './subjects/sixnode/adapter.ts';
import { sweep } from './sweep.ts';

const sweepMs = 60_000;
/** What is up while faults, health and memory are measured. */
const subjects = ['etcd', 'ratelimiter', 'tikv'];
/** The subject that is killed and asked: the largest. */
const asked = 'tikv';

const contests: Contest[] = [
  { kind: 'etcd', title: 'etcd, three nodes', file: join(root, 'subjects/etcd/compose.yaml'), adapter: etcd },
  { kind: 'sixnode', title: 'the six-node file', file: join(root, 'bench/subjects/sixnode/compose.yaml'), adapter: sixnode },
];

/** Every published port of the contests' files moved for Compose, as subjectd moves its own. */
const composePorts = Object.fromEntries(
  Object.entries({
    ...{ ETCD0_PORT: 12379, ETCD1_PORT: 12381, ETCD2_PORT: 12383 },
    ...{ SIXNODE_PD0_PORT: 23379, SIXNODE_PD1_PORT: 23380, SIXNODE_PD2_PORT: 23381 },
    ...{ SIXNODE_TIKV0_PORT: 24160, SIXNODE_TIKV1_PORT: 24161, SIXNODE_TIKV2_PORT: 24162 },
  }).map(([name, port]) => [name, String(port + composePortOffset)]),
);
/** The variables of the contests' files for Compose; of etcd's two orders the one that it is faster with. */
const composeEnv = { ...composePorts, ETCD_FIRST: 'service_started' };

type Engine = ReturnType<typeof createEngine>;
interface Bench {
  engine: Engine;
  peer: Peer;
  say: (text: string) => void;
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return console.log(usage);
  const options = parseOptions(process.argv.slice(2));
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));

  const began = performance.now();
  const say = (text: string) => console.log(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`);
  const load = loadPerCore();
  if (load > busyAbove) say(`WARNING: the machine is busy (load average ${load.toFixed(1)} per core): these figures will be worth nothing`);

  const place = await alone();
  const engine = createEngine();
  try {
    const left = await swept(engine, stop.signal);
    if (left.length > 0) say(`removed what a bench before had left: ${left.join(', ')}`);
    if (SPEED_PARTS.some((part) => options.parts.includes(part)))
      write(await measure(engine, options, load, say, stop.signal), options, say);
    await eachStudy(options.parts, (study) => carryOut(study, engine, options, say, stop.signal));
  } finally {
    await tidy(engine, say);
    await place.release();
  }
}

/** Never throws: what failed before says more than why its remains could not be removed. */
async function tidy(engine: Engine, say: Bench['say']): Promise<void> {
  try {
    await swept(engine);
    say('nothing of this run is left on the engine');
  } catch (error) {
    process.exitCode = 1;
    const why = error instanceof Error ? error.message : String(error);
    console.error(`bench: what this run made may still be on the engine, and the next run removes it (${why})`);
  } finally {
    await engine.close();
  }
}

async function swept(engine: Engine, signal?: AbortSignal): Promise<string[]> {
  using limited = deadline('removal of what benches made', sweepMs, signal);
  return await sweep(engine, limited);
}

async function measure(engine: Engine, options: Options, load: number, say: Bench['say'], signal: AbortSignal): Promise<Results> {
  const peer = await Peer.start(
    engine,
    contests.map(({ file }) => file),
    composeEnv,
    signal,
  );
  const bench: Bench = { engine, peer, say };
  const machine = await machineFacts(engine, await peer.version(signal), signal);
  const reset = options.parts.includes('reset') ? await measureResets(bench, options, signal) : null;
  const rest = SPEED_PARTS.some((part) => part !== 'reset' && options.parts.includes(part))
    ? await measureUp(bench, options, signal)
    : null;
  const { rounds, kills, seconds } = options;
  const parts = SPEED_PARTS.filter((part) => options.parts.includes(part));
  return {
    made_at: new Date().toISOString(),
    whole: isWhole(options),
    machine,
    load_per_core: { start: load, end: loadPerCore() },
    options: { parts, rounds, kills, seconds },
    reset,
    kill: rest?.kill ?? null,
    health: rest?.health ?? null,
    memory: rest?.memory ?? null,
  };
}

async function measureResets(bench: Bench, { rounds }: Options, signal: AbortSignal): Promise<ResetFigures[]> {
  return withService({ SUBJECTD_SUBJECTS_DIR: join(root, 'bench/subjects') }, signal, async (service) => {
    const figures: ResetFigures[] = [];
    for (const contest of contests) figures.push(await measureReset({ ...bench, service }, contest, rounds, signal));
    return figures;
  });
}

/** In a service of its own, so that its memory has nothing of the resets in it. */
async function measureUp(
  bench: Bench,
  { parts, kills, seconds }: Options,
  signal: AbortSignal,
): Promise<Pick<Results, 'kill' | 'health' | 'memory'>> {
  return withService({}, signal, async (service) => {
    for (const subject of subjects) await service.call('POST', `/v1/subjects/${subject}/reset`, signal, {});
    const afterResets = residentMemory(service.pid).now;
    const kill = parts.includes('kill') ? await measureKill({ ...bench, service }, asked, kills, signal) : null;
    const health = parts.includes('health') ? await measureHealth({ ...bench, service }, asked, seconds, signal) : null;
    const { now, peak } = residentMemory(service.pid);
    const memory = parts.includes('memory') ? { subjects, after_resets: afterResets, at_the_end: now, peak } : null;
    return { kill, health, memory };
  });
}

function write(results: Results, { out }: Options, say: Bench['say']): void {
  const folder = resolve(out ?? join(root, results.whole ? 'bench/results' : '.cache/bench'));
  mkdirSync(folder, { recursive: true });
  const table = markdown(results);
  writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(folder, 'latest.md'), table);
  writeFileSync(join(folder, 'latest.svg'), svg(results));
  console.log(`\n${table}`);
  say(`written to ${folder}/latest.json, .md and .svg`);
}

/** Measures one study and writes its results; those that were measured in full go to where the project shows them. */
async function carryOut<T>(study: StudyKind<T>, engine: Engine, options: Options, say: Bench['say'], signal: AbortSignal): Promise<void> {
  say(`study: ${study.name}`);
  const start = loadPerCore();
  const machine = await machineFacts(engine, null, signal);
  const figures = await study.measure({ engine, options, say }, signal);
  const { injections, runs } = options;
  const results: Study<T> = {
    made_at: new Date().toISOString(),
    whole: isWholeStudy(study.name, options),
    machine,
    load_per_core: { start, end: loadPerCore() },
    options: { injections, runs },
    figures,
  };
  const folder = resolve(options.out ?? join(root, results.whole ? 'bench/results' : '.cache/bench'));
  mkdirSync(folder, { recursive: true });
  const table = study.markdown(results);
  writeFileSync(join(folder, `${study.file}.json`), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(folder, `${study.file}.md`), table);
  console.log(`\n${table}`);
  say(`written to ${folder}/${study.file}.json and .md`);
  if (study.name === 'faults' && folder === join(root, 'bench/results'))
    rewriteReadme(join(root, 'README.md'), join(folder, 'faults.json'));
}

main().catch((error: unknown) => {
  for (let cause = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined)
    console.error(`${cause === error ? 'bench' : '  because'}: ${cause instanceof Error ? cause.message : String(cause)}`);
  process.exitCode = 1;
});
