import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watchdog } from '../../src/faults/watchdog.ts';
import { type Toolbox, ToolboxError, type ToolboxErrorCode } from '../../src/toolbox/port.ts';
import { activeFault } from './control-fakes.ts';

const { signal } = new AbortController();
const ended = { by: 'watchdog', at: '2026-01-01T00:00:00.000Z', done: true, failures: [] };

/** A toolbox that holds the fault under a fence, and refuses older ones as the agent does; `fails` instead when it is given. */
function holding(fence: number, fails: ToolboxErrorCode | null = null) {
  const calls: string[] = [];
  const call = async (op: string, args: { fence?: number }) => {
    calls.push(`${op} ${args.fence ?? ''}`.trim());
    if (fails !== null) throw new ToolboxError(fails, 'it failed', op);
    if (op === 'records') return { records: [{ fault: 'flt_1', fence }], damaged: [] };
    if ((args.fence ?? 0) < fence) throw new ToolboxError('stale_fence', 'older than what is held', op);
    return { ended };
  };
  const watchdog = new Watchdog({ call } as unknown as Toolbox, { warn: () => {} });
  return { watchdog, calls };
}

test('a hand-over that a newer one has overtaken is guarded by that', async () => {
  const { watchdog } = holding(3);
  assert.equal(await watchdog.arm({ ...activeFault({}), fence: 2 }, 1000, true, signal), true);
});

test('a hand-over is taken back whoever made the newest', async () => {
  const { watchdog, calls } = holding(3);
  assert.deepEqual(await watchdog.disarm({ fault: { id: 'flt_1' }, fence: 1 }, signal), ended);
  assert.deepEqual(calls, ['disarm 1', 'records', 'disarm 3']);
});

test('a toolbox that is away is told at the next join; one that does not do it is no end of a fault', async () => {
  for (const away of ['lost', 'unavailable'] as const)
    assert.equal(await holding(1, away).watchdog.disarm({ fault: { id: 'flt_1' }, fence: 1 }, signal), null);
  for (const refused of ['deadline', 'no_space', 'failed'] as const)
    await assert.rejects(holding(1, refused).watchdog.disarm({ fault: { id: 'flt_1' }, fence: 1 }, signal), { code: refused });
});
