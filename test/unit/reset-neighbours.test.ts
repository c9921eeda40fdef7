import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../src/compose/model.ts';
import { neighbourSysctls, takesInterfaceSysctls } from '../../src/reset/neighbours.ts';

const service = (change: Partial<Service>) => ({ networkMode: null, networks: [{ network: 'default' }], ...change }) as unknown as Service;

test('a service on a network of its own asks for its neighbours eagerly, for as long as the kernel’s default in all', () => {
  const sysctls = neighbourSysctls(service({}), '1.41');
  assert.deepEqual(Object.keys(sysctls), ['net.ipv4.neigh.eth0.retrans_time_ms', 'net.ipv4.neigh.eth0.mcast_solicit']);
  assert.equal(
    Object.values(sysctls).reduce((product, value) => product * Number(value), 1),
    3 * 1000,
  );
});

test('one that has no interface of its own is left alone', () => {
  assert.deepEqual(neighbourSysctls(service({ networkMode: { mode: 'host' } as Service['networkMode'] }), '1.41'), {});
  assert.deepEqual(neighbourSysctls(service({ networkMode: { mode: 'service', service: 'a' } as Service['networkMode'] }), '1.41'), {});
  assert.deepEqual(neighbourSysctls(service({ networks: [] }), '1.41'), {});
});

test('engines that refuse it in this form, or whose version cannot be read, are not given it', () => {
  assert.deepEqual(['1.41', '1.45', '1.46', '1.51', '2.0', '', 'x.y'].map(takesInterfaceSysctls), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
