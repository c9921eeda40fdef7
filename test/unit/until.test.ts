import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allEnded, deadline, orAborted, pause } from '../../src/lib/until.ts';

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

test('a deadline of more than 24 days does not pass at once', async () => {
  using limited = deadline('a health check', 600 * 3_600_000);
  await pause(20);
  assert.equal(limited.aborted, false);
});

test('what notices no abort is left at once, and what it ends with is told nobody', async () => {
  const controller = new AbortController();
  let fail = (_error: Error): void => {};
  const deaf = new Promise<string>((_resolve, reject) => {
    fail = reject;
  });
  const left = orAborted(deaf, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(left, /^Error: enough$/);
  fail(new Error('too late'));
  await new Promise(setImmediate);
  assert.equal(await orAborted(Promise.resolve('in time'), new AbortController().signal), 'in time');
  await assert.rejects(orAborted(new Promise(() => {}), controller.signal), /enough/);
});
