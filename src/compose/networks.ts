import { isIP } from 'node:net';
import { mustBe, read, type Section, type Surroundings } from './context.ts';
import { ipamConfigKeys, ipamKeys, networkKeys } from './keys/top.ts';
import { readLabels, readOptions } from './maps.ts';
import type { Network } from './model.ts';
import { engineName, keyName } from './names.ts';
import { type Field, isNull, type NamedField, type Reader } from './reader.ts';

/** The declared networks by key, and `default`, which every file has. */
export function readNetworks(context: Surroundings, field: Field | undefined): Map<string, Network> {
  const networks = new Map<string, Network>();
  for (const entry of (field && context.reader.named(field, keyName)) ?? []) networks.set(entry.key, readNetwork(context, entry));
  if (!networks.has('default')) networks.set('default', plainNetwork(context, 'default'));
  return networks;
}

function plainNetwork(context: Surroundings, key: string): Network {
  const name = `${context.projectName}_${key}`;
  return { key, name, external: false, driver: null, driverOpts: {}, internal: false, enableIpv6: false, subnets: [], labels: {} };
}

function readNetwork(context: Surroundings, entry: NamedField): Network {
  const plain = plainNetwork(context, entry.key);
  const fields = isNull(entry.tree) ? undefined : context.reader.keyed(entry, networkKeys);
  if (fields === undefined) return plain;
  const section: Section<Surroundings> = { context, fields };
  mustBe(section, 'external', false, networkKeys);
  mustBe(section, 'enable_ipv4', true, networkKeys);
  return {
    ...plain,
    name: read(section, 'name', engineName) ?? plain.name,
    driver: read(section, 'driver', bridgeDriver) ?? null,
    driverOpts: read(section, 'driver_opts', readOptions) ?? {},
    internal: read(section, 'internal', (r, f) => r.flag(f)) ?? false,
    enableIpv6: read(section, 'enable_ipv6', (r, f) => r.flag(f)) ?? false,
    subnets: read(section, 'ipam', (r, f) => readSubnets(context, r, f)) ?? [],
    labels: read(section, 'labels', readLabels) ?? {},
  };
}

function bridgeDriver(reader: Reader, field: Field): string | undefined {
  const driver = reader.text(field);
  if (driver === undefined || driver === 'bridge') return driver;
  return reader.fail(field, `the network driver ${driver} is not supported; use bridge, or leave driver: out`);
}

function readSubnets(context: Surroundings, reader: Reader, field: Field): Network['subnets'] | undefined {
  const fields = reader.keyed(field, ipamKeys);
  const driver = fields?.get('driver');
  if (driver !== undefined && (reader.text(driver) ?? 'default') !== 'default') reader.fail(driver, 'must be default; remove it');
  const config = fields?.get('config');
  return config && reader.list(config)?.flatMap((item) => readSubnet(context, item) ?? []);
}

function readSubnet(context: Surroundings, item: Field): Network['subnets'][number] | undefined {
  const { reader } = context;
  const fields = reader.keyed(item, ipamConfigKeys);
  const section: Section<Surroundings> = { context, fields: fields ?? new Map() };
  const subnet = read(section, 'subnet', cidr);
  const gateway = read(section, 'gateway', ip) ?? null;
  if (fields !== undefined && !fields.has('subnet')) return reader.fail(item, 'names no subnet; add subnet: such as 172.30.0.0/24');
  return subnet === undefined ? undefined : { subnet, gateway };
}

function cidr(reader: Reader, field: Field): string | undefined {
  const text = reader.text(field);
  const [base = '', bits = ''] = text?.split('/', 2) ?? [];
  const most = isIP(base) === 4 ? 32 : isIP(base) === 6 ? 128 : -1;
  if (text === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= most)) return text;
  return reader.fail(field, `"${text}" is not a subnet; write one such as 172.30.0.0/24`);
}

function ip(reader: Reader, field: Field): string | undefined {
  const text = reader.text(field);
  return text === undefined || isIP(text) !== 0 ? text : reader.fail(field, `"${text}" is not an IP address; correct it`);
}
