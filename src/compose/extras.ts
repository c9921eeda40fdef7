import { isIP } from 'node:net';
import type { Section, Surroundings } from './context.ts';
import { loggingKeys } from './keys/entries.ts';
import { compare, readOptions, readPairs, record } from './maps.ts';
import type { Service } from './model.ts';
import type { Field, Reader } from './reader.ts';

/** `extra_hosts:` as `host:address`, sorted. */
export function readExtraHosts(reader: Reader, field: Field): string[] | undefined {
  const hosts = field.tree.kind === 'list' ? hostList(reader, field) : hostMap(reader, field);
  return hosts?.map(([host, address]) => `${host}:${address}`).sort(compare);
}

function hostList(reader: Reader, field: Field): [string, string][] | undefined {
  return reader.list(field)?.flatMap((item) => {
    const text = reader.text(item) ?? '';
    const separator = text.includes('=') ? '=' : ':';
    const at = text.indexOf(separator);
    if (text !== '' && at < 1) reader.fail(item, `"${text}" names no address; write host=address`);
    return at < 1 ? [] : addresses(reader, item, text.slice(0, at), text.slice(at + 1).split(','));
  });
}

function hostMap(reader: Reader, field: Field): [string, string][] | undefined {
  return reader.named(field)?.flatMap((entry) => addresses(reader, entry, entry.key, reader.textOrTexts(entry) ?? []));
}

function addresses(reader: Reader, field: Field, host: string, texts: string[]): [string, string][] {
  if (/[:=\s]/.test(host)) reader.fail(field, `"${host}" is not a host name; correct it`);
  return texts.flatMap((text) => {
    const address = text.replace(/^\[(.*)\]$/, '$1');
    if (address === 'host-gateway' || isIP(address) !== 0) return [[host, address]];
    reader.fail(field, `"${text}" is not an IP address; write one, or host-gateway`);
    return [];
  });
}

/** `dns:`, a text or a list of IP addresses. */
export function readDns(reader: Reader, field: Field): string[] | undefined {
  const servers = reader.textOrTexts(field);
  const wrong = servers?.find((server) => isIP(server) === 0);
  return wrong === undefined ? servers : reader.fail(field, `"${wrong}" is not an IP address; correct it`);
}

/** `logging:`; only drivers that the engine can read lines back from. */
export function readLogging(section: Section<Surroundings>): Service['logging'] {
  const field = section.fields.get('logging');
  const { reader } = section.context;
  const fields = field && reader.keyed(field, loggingKeys);
  if (fields === undefined) return null;
  const driverField = fields.get('driver');
  const driver = driverField === undefined ? 'json-file' : reader.text(driverField);
  const options = fields.get('options');
  const plain = (options && readOptions(reader, options)) ?? {};
  if (driver === 'json-file' || driver === 'local') return { driver, options: plain };
  if (driverField !== undefined && driver !== undefined) {
    reader.fail(
      driverField,
      `the logging driver ${driver} is not supported, the service could not read the node's log; use json-file or local`,
    );
  }
  return null;
}

/** `sysctls:`; each needs a value. */
export function readSysctls(reader: Reader, field: Field): Record<string, string> | undefined {
  const pairs = readPairs(reader, field);
  for (const [name, pair] of pairs ?? []) if (pair.value === null) reader.fail(pair.field, `${name} has no value; write ${name}=value`);
  return pairs && record([...pairs].map(([name, { value }]) => [name, value ?? '']));
}
