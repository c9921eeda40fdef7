import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseRoutes } from '../../src/reset/routes.ts';
import { chooseSubnet, overlaps, parseRange, pinAddresses, type Range } from '../../src/reset/subnet.ts';

describe('subnets', () => {
  const pool = parseRange('10.201.0.0/16') as Range;
  test('a chosen subnet is in the pool and overlaps nothing taken; the same name gets the same one', () => {
    const ranges = fc.array(
      fc
        .record({ first: fc.nat(0xffff).map((n) => pool.first + (n & 0xff00)), bits: fc.constantFrom(20, 22, 24) })
        .map((r) => ({ first: Math.floor(r.first / 2 ** (32 - r.bits)) * 2 ** (32 - r.bits), bits: r.bits })),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.string(), ranges, (name, taken) => {
        const chosen = chooseSubnet(pool, name, taken);
        const range = parseRange(chosen ?? '');
        assert.ok(range !== null && overlaps(range, pool) && !taken.some((t) => overlaps(t, range)));
        assert.equal(chooseSubnet(pool, name, taken), chosen);
      }),
    );
  });

  test('a full pool gives none', () => {
    assert.equal(chooseSubnet(pool, 'x', [pool]), null);
  });

  test('pinned addresses are in the upper half, differ, and avoid those the file asks for', () => {
    const pinned = pinAddresses('10.0.0.0/24', ['a', 'b', 'c'], ['10.0.0.129']);
    assert.deepEqual(
      [...pinned],
      [
        ['a', '10.0.0.128'],
        ['b', '10.0.0.130'],
        ['c', '10.0.0.131'],
      ],
    );
  });

  test('the kernel’s routes are read, the default route is not one', () => {
    const table =
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
    assert.deepEqual(parseRoutes(table), [parseRange('192.168.1.0/24')]);
  });
});
