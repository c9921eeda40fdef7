import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allEnded } from '../../src/lib/until.ts';

test('the first failure is thrown only after all have ended', async () => {
  const ended: string[] = [];
  let finish = (_value: string): void => {};
  const slow = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const work = [Promise.reject(new Error('first')), slow.finally(() => ended.push('slow'))];
  const outcome = allEnded(work).catch((error: Error) => ended.push(error.message));
  await new Promise(setImmediate);
  assert.deepEqual(ended, []);
  finish('done');
  await outcome;
  assert.deepEqual(ended, ['slow', 'first']);
  assert.deepEqual(await allEnded([Promise.resolve(1), Promise.resolve(2)]), [1, 2]);
});
