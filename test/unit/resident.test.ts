import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Engine, EngineError } from '../../src/engine/port.ts';
import { ResidentToolbox } from '../../src/toolbox/resident.ts';

test('a call that was cancelled before it began joins nothing, and leaves no failure that nobody hears of', async (t) => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown) => unheard.push(reason);
  process.on('unhandledRejection', listen);
  t.after(() => process.off('unhandledRejection', listen));
  let asked = 0;
  const away = async () => {
    asked++;
    throw new EngineError('unreachable', 'connect ENOENT', { status: null, op: 'ping', target: '' });
  };
  const engine = new Proxy({}, { get: () => away }) as Engine;
  const toolbox = new ResidentToolbox(engine, { image: 'x', engineSocket: '/x' }, 'own_1');
  await assert.rejects(toolbox.call('owners', {}, AbortSignal.abort(new Error('cancelled'))), /cancelled/);
  assert.equal(asked, 0);
  const cancel = new AbortController();
  const call = toolbox.call('owners', {}, cancel.signal);
  cancel.abort(new Error('cancelled later'));
  await assert.rejects(call, /cancelled later/);
  await assert.rejects(toolbox.call('owners', {}, new AbortController().signal), { reason: 'unreachable' });
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  assert.deepEqual(unheard, []);
  assert.ok(asked > 0);
});
