import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineEvent } from '../../src/engine/port.ts';
import { detail, engine, exited, gate, label, labels, nextOf, run, signal, swept, uniqueName } from './engine-rig.ts';

swept();

describe('events', () => {
  it('tell a life in order: created, started, killed, dead, destroyed, with the network’s between', async () => {
    const own = `io.subjectd.test.own=${uniqueName()}`;
    const controller = new AbortController();
    const opened = gate();
    const seen: EngineEvent[] = [];
    const watched = (async () => {
      for await (const event of engine.events({ labels: [label, own], onOpen: () => opened.open() }, controller.signal)) {
        seen.push(event);
        if (event.type === 'container' && event.action === 'destroy') controller.abort();
      }
    })();
    await opened.passed;
    await engine.removeContainer(await run(), signal);
    const id = await run({ Labels: { ...labels, 'io.subjectd.test.own': own.split('=')[1] ?? '' } });
    await engine.killContainer(id, 'SIGKILL', signal);
    await exited(id);
    await engine.removeContainer(id, signal);
    await watched;

    const containers = seen.filter((event) => event.type === 'container');
    assert.ok(containers.every((event) => event.id === id));
    const order = containers.map((event) => event.action);
    // The engine reports the signal and the death it caused from two places: either may come first.
    assert.deepEqual([order.slice(0, 2), order.slice(2, 4).sort(), order.slice(4)], [['create', 'start'], ['die', 'kill'], ['destroy']]);
    assert.equal(containers.find((event) => event.action === 'die')?.attributes.exitCode, '137');
    assert.equal(containers.find((event) => event.action === 'kill')?.attributes.signal, '9');
    const joined = seen.filter((event) => event.type === 'network' && event.attributes.container === id).map((event) => event.action);
    assert.deepEqual(joined, ['connect', 'disconnect']);
  });

  it('are replayed from a time on', async () => {
    const own = uniqueName();
    const id = await run({ Labels: { ...labels, 'io.subjectd.test.own': own } });
    const controller = new AbortController();
    const startedAt = ((await detail(id)).startedAt ?? 0) / 1000;
    const events = engine
      .events({ labels: [`io.subjectd.test.own=${own}`], sinceSeconds: startedAt - 10 }, controller.signal)
      [Symbol.asyncIterator]();
    const started = await nextOf(events, (event) => event.action === 'start');
    assert.ok(Math.abs(started.atSeconds - startedAt) < 60);
    await events.return?.(undefined);
    const again = engine
      .events({ labels: [`io.subjectd.test.own=${own}`], sinceSeconds: started.atSeconds }, controller.signal)
      [Symbol.asyncIterator]();
    const first = await nextOf(again, (event) => event.type === 'container');
    assert.deepEqual([first.action, first.atSeconds], ['start', started.atSeconds]);
    await again.return?.(undefined);
  });

  it('from now on do not bring the past', async () => {
    const own = uniqueName();
    const id = await run({ Labels: { ...labels, 'io.subjectd.test.own': own } });
    const opened = gate();
    const events = engine.events({ labels: [`io.subjectd.test.own=${own}`], onOpen: () => opened.open() }, signal)[Symbol.asyncIterator]();
    const next = nextOf(events, (event) => event.type === 'container');
    await opened.passed;
    await engine.pauseContainer(id, signal);
    assert.equal((await next).action, 'pause');
    await events.return?.(undefined);
  });

  it('end when the signal aborts, before and after they are open', async () => {
    for await (const _ of engine.events({}, AbortSignal.abort())) assert.fail('an event of a stream that never was');
    const controller = new AbortController();
    for await (const _ of engine.events({ labels: ['io.subjectd.test.nobody'], onOpen: () => controller.abort() }, controller.signal));
  });
});
