import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ledgerProbe } from '../../src/control/ledger_probe.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { FakeClock } from './control-fakes.ts';

const signal = new AbortController().signal;

describe('whether the ledger can be written', () => {
  test('is tried once a second, whoever asks', async () => {
    const clock = new FakeClock();
    let probes = 0;
    const writable = ledgerProbe({ ledger: { probe: async () => probes++ === 0 } as unknown as Ledger, clock });
    assert.deepEqual(await Promise.all([writable(signal), writable(signal)]), [true, true]);
    clock.monotonic += 1001;
    assert.deepEqual([await writable(signal), probes], [false, 2]);
  });

  test('a disk that does not answer is none, and is not asked again meanwhile', { timeout: 10_000 }, async () => {
    const clock = new FakeClock();
    let probes = 0;
    const probe = () => {
      probes++;
      return new Promise<boolean>(() => {});
    };
    const writable = ledgerProbe({ ledger: { probe } as unknown as Ledger, clock });
    const first = writable(signal);
    clock.monotonic += 5000;
    assert.deepEqual([await first, await writable(signal), probes], [false, false, 1]);
    const gone = new AbortController();
    const asked = writable(gone.signal);
    gone.abort(new Error('hung up'));
    await assert.rejects(asked, /hung up/);
  });
});
