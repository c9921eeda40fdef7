import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DeathsTold } from '../../src/control/deaths.ts';
import type { ContainerDetail, EngineEvent } from '../../src/engine/port.ts';
import type { Scene } from '../../src/faults/scene.ts';
import { diedSince, watchContainers } from '../../src/faults/types/process.ts';

const running = { id: 'id1', state: 'running', startedAt: 1000, finishedAt: null, exitCode: 0, restartCount: 0 } as ContainerDetail;
const killed = { ...running, state: 'exited', finishedAt: 5000, exitCode: 137 } as ContainerDetail;
const target = { node: 'n1', container: 'p-n1-1', container_id: 'id1' };
const die = (exitCode: number): EngineEvent => ({
  atSeconds: 5,
  type: 'container',
  action: 'die',
  id: 'id1',
  attributes: { exitCode: String(exitCode) },
});
const seen = (before: ContainerDetail, now: ContainerDetail) => diedSince(before, now) && now.state === 'exited';
const expected = { seen, budgetMs: 150, lastsMs: 60 };
const signal = new AbortController().signal;

/** A clock that stands, but for what the test moves; and an engine that answers what it is told to. */
function stage() {
  const time = { mono: 100, now: 10_000 };
  const clock = { mono: () => time.mono, now: () => time.now };
  const deaths = new DeathsTold(clock);
  const engine = { shows: running as ContainerDetail };
  const scene = { clock, deaths, engine: { inspectContainer: async () => engine.shows } } as unknown as Scene;
  return { time, deaths, engine, scene };
}

describe('the witness of a process', () => {
  test('a kill was observed when the engine first told of it, not when it answered about it', async () => {
    const { time, deaths, engine, scene } = stage();
    const witness = await watchContainers(scene, [target], expected, signal);
    time.mono = 145;
    deaths.take(die(137));
    time.mono = 400;
    engine.shows = killed;
    const { verdict, observedAt } = await witness.judge([], signal);
    assert.deepEqual([verdict, observedAt], ['confirmed', 145]);
  });

  test('an end that was told before the act, or with another code, is not this one', async () => {
    for (const [code, at] of [
      [137, 90],
      [0, 145],
    ] as const) {
      const { time, deaths, engine, scene } = stage();
      time.mono = at;
      if (at < 100) deaths.take(die(code));
      time.mono = 100;
      const witness = await watchContainers(scene, [target], expected, signal);
      time.mono = at;
      if (at > 100) deaths.take(die(code));
      time.mono = 400;
      engine.shows = killed;
      const { verdict, observedAt } = await witness.judge([], signal);
      assert.deepEqual([verdict, observedAt], ['confirmed', 400]);
    }
  });

  test('an end that was told and did not last is not observed', async () => {
    const { deaths, engine, scene } = stage();
    const witness = await watchContainers(scene, [target], expected, signal);
    deaths.take(die(137));
    engine.shows = { ...running, startedAt: 6000, finishedAt: 5000 };
    const { verdict, observedAt } = await witness.judge([], signal);
    assert.deepEqual([verdict, observedAt], ['not_observed', undefined]);
  });

  test('a container that is gone has no end any more', () => {
    const { deaths } = stage();
    deaths.take(die(137));
    assert.equal(deaths.of('id1')?.exitCode, 137);
    deaths.take({ ...die(137), action: 'destroy' });
    assert.equal(deaths.of('id1'), null);
  });
});
