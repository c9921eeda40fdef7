import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { runCrashes } from '../crash/run.ts';
import { testEnv } from './service.ts';

/** `npm run test:crash` has all of them. */
const sample = 40;

test('the service is killed at forty points of injections, heals and resets, and leaves nothing behind', async (context) => {
  const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
  console.log(`CRASH_SEED=${seed}`);
  const env = { ...process.env, ...testEnv };
  const { ran, failed } = await runCrashes({
    only: [],
    calls: /./,
    cases: sample,
    seed,
    from: 0,
    env,
    say: (line) => console.log(line),
    signal: context.signal,
  });
  assert.deepEqual(failed, []);
  assert.equal(ran, sample);
});
