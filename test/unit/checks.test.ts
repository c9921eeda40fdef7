import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerDetail, Engine } from '../../src/engine/port.ts';
import { Checks } from '../../src/kind/check.ts';

const container = (id: string) =>
  ({
    id,
    startedAt: 0,
    health: null,
    healthCheck: { test: ['CMD', 'true'], timeoutMs: 60_000, intervalMs: 1 },
  }) as unknown as ContainerDetail;

test('a check that waits for those that hang is let go of at once when nobody wants it any more', { timeout: 5000 }, async () => {
  const ran: string[] = [];
  const exec = (id: string, _argv: string[], signal: AbortSignal) => {
    ran.push(id);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const checks = new Checks({ exec } as unknown as Engine);
  const hanging = new AbortController();
  const hang = [1, 2, 3, 4].map((n) => checks.run(container(`hangs ${n}`), hanging.signal));
  const cancelled = new AbortController();
  const waiting = checks.run(container('waits'), cancelled.signal);
  cancelled.abort(new Error('cancelled'));
  await assert.rejects(waiting, /^Error: cancelled$/);
  hanging.abort(new Error('over'));
  for (const run of hang) await assert.rejects(run, /over/);
  await new Promise(setImmediate);
  assert.ok(!ran.includes('waits'), 'and it is not run later');
});
