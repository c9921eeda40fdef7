import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Expiry } from '../../src/control/expiry.ts';
import type { EventLog } from '../../src/events/log.ts';
import { rfc3339 } from '../../src/lib/clock.ts';
import { until } from '../../src/lib/until.ts';
import { activeFault, epoch, FakeClock, FakeEvents, fakeStore } from './control-fakes.ts';

async function watched(leftMs: number) {
  const [clock, events] = [new FakeClock(), new FakeEvents()];
  const store = fakeStore(events);
  const record = activeFault({ expires_at: rfc3339(epoch + leftMs) });
  await store.save(record);
  const ended: string[] = [];
  const expiry = new Expiry(store, events as unknown as EventLog, clock, (f) => ended.push(f.id));
  return { clock, store, record, expiry, ended, left: () => expiry.remainingMs(record.fault) };
}

describe('what is left of a fault’s time', () => {
  test('is by the monotonic clock, whatever the wall clock was set to', async () => {
    const { clock, record, expiry, left } = await watched(60_000);
    expiry.watch(record.fault);
    clock.monotonic += 10_000;
    clock.wall -= 3_600_000;
    assert.equal(left(), 50_000);
    clock.monotonic += 3_600_000;
    assert.equal(left(), 1);
    expiry.stop();
  });

  test('is by the wall clock while nobody has watched it, after a restart', async () => {
    const { clock, left } = await watched(60_000);
    clock.wall += 20_000;
    assert.equal(left(), 40_000);
    clock.wall += 3_600_000;
    assert.equal(left(), 1);
  });

  test('stays over when its end was called, and begins anew when it is renewed', async () => {
    const { clock, record, expiry, ended, left } = await watched(5);
    expiry.watch(record.fault);
    await until(async () => (ended.length > 0 ? true : undefined), 5, AbortSignal.timeout(5000));
    clock.monotonic += 10;
    clock.wall -= 3_600_000;
    assert.deepEqual([expiry.isRunning('flt_1'), left()], [false, 1]);
    record.fault.expires_at = rfc3339(clock.wall + 30_000);
    expiry.watch(record.fault);
    assert.equal(left(), 30_000);
    expiry.stop();
  });

  test('is forgotten of faults that have ended', async () => {
    const { clock, store, record, expiry, left } = await watched(60_000);
    expiry.watch(record.fault);
    await store.save({ ...record, fault: { ...record.fault, state: 'healed' } });
    const other = activeFault({ id: 'flt_2' }).fault;
    expiry.watch(other);
    clock.wall += 20_000;
    assert.equal(left(), 40_000, 'by the wall clock, as one that was never watched');
    assert.equal(expiry.remainingMs(other), 60_000);
    expiry.stop();
  });
});
