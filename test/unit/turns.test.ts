import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { atOnce, Turns } from '../../src/lib/turns.ts';

const never = new AbortController().signal;

describe('turns', () => {
  test('never more than the places are taken at once, all come in order, and each gets its own answer or error', async () => {
    const jobs = fc.array(fc.record({ ticks: fc.integer({ min: 0, max: 4 }), fails: fc.boolean() }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), jobs, async (places, all) => {
        const { turn } = new Turns(places, 60_000);
        const begun: number[] = [];
        let at = 0;
        let most = 0;
        const ended = await Promise.allSettled(
          all.map(({ ticks, fails }, i) =>
            turn(async () => {
              begun.push(i);
              most = Math.max(most, ++at);
              for (let n = 0; n < ticks; n++) await null;
              at--;
              if (fails) throw new Error(String(i));
              return i;
            }, never),
          ),
        );
        assert.ok(most <= places);
        assert.deepEqual(
          begun,
          all.map((_, i) => i),
        );
        const said = ended.map((e) => (e.status === 'fulfilled' ? e.value : Number((e.reason as Error).message)));
        assert.deepEqual(
          said,
          all.map((_, i) => i),
        );
      }),
    );
  });

  test('work that never ends holds its place for a moment only', async () => {
    const { turn } = new Turns(1, 5);
    let release = () => {};
    const hung = turn(() => new Promise<string>((resolve) => (release = () => resolve('late'))), never);
    assert.equal(await turn(async () => 'next', never), 'next');
    release();
    assert.equal(await hung, 'late');
    // The place it gave up was given back once only.
    let at = 0;
    const two = [0, 1].map(() =>
      turn(async () => {
        assert.equal(++at, 1);
        await delay(1);
        at--;
      }, never),
    );
    await Promise.all(two);
  });

  test('who gives up while he waits leaves the line, and his work never begins', async () => {
    const { turn } = new Turns(1, 60_000);
    let release = () => {};
    const first = turn(() => new Promise<void>((resolve) => (release = resolve)), never);
    const stop = new AbortController();
    const begun: string[] = [];
    const second = turn(async () => void begun.push('second'), stop.signal);
    const third = turn(async () => void begun.push('third'), never);
    stop.abort(new Error('enough'));
    await assert.rejects(second, /enough/);
    await assert.rejects(
      turn(async () => void begun.push('fourth'), stop.signal),
      /enough/,
    );
    release();
    await Promise.all([first, third]);
    assert.deepEqual(begun, ['third']);
  });

  test('at once is at once', async () => {
    const begun: number[] = [];
    const work = [0, 1, 2].map((i) => atOnce(async () => void begun.push(i), never));
    assert.deepEqual(begun, [0, 1, 2]);
    await Promise.all(work);
  });
});
