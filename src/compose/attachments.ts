import { BlockList, isIP } from 'node:net';
import { type Context, read, type Section } from './context.ts';
import { attachmentKeys } from './keys/entries.ts';
import { compare } from './maps.ts';
import type { Attachment, Network, Service } from './model.ts';
import { type Field, isNull, type NamedField, type Reader } from './reader.ts';
import { suggest } from './suggest.ts';

/** The networks of a service, the highest priority first and then by name, as Compose orders them; `default` when it names none. */
export function readAttachments(section: Section, service: string): Attachment[] {
  const { context, fields } = section;
  const field = fields.get('networks');
  const found = field === undefined ? [] : (readList(context, field, service) ?? []);
  const attachments = found
    .sort((a, b) => b.priority - a.priority || compare(a.attachment.network, b.attachment.network))
    .map((f) => f.attachment);
  if (attachments.length > 0) return attachments;
  return [{ network: 'default', aliases: [service], ipv4: null, ipv6: null }];
}

interface Found {
  attachment: Attachment;
  priority: number;
}

function readList(context: Context, field: Field, service: string): Found[] | undefined {
  const { reader } = context;
  if (field.tree.kind === 'list') {
    const names = new Map<string, Field>();
    for (const item of reader.list(field) ?? []) {
      const name = reader.text(item);
      if (name !== undefined) names.set(name, item);
    }
    return [...names].flatMap(([name, item]) => readOne(context, { ...item, key: name, keyAt: item.tree.at }, service, false) ?? []);
  }
  return reader.named(field)?.flatMap((entry) => readOne(context, entry, service, true) ?? []);
}

function readOne(context: Context, entry: NamedField, service: string, detailed: boolean): Found | undefined {
  const { reader } = context;
  const network = context.networks.get(entry.key);
  if (network === undefined) {
    const near = suggest(entry.key, [...context.networks.keys()]);
    const way = near === null ? 'declare it under networks:' : `did you mean ${near}?`;
    reader.issues.add(entry.keyAt, entry.path, `there is no network ${entry.key}; ${way}`);
    return undefined;
  }
  const plain = { network: entry.key, aliases: [service], ipv4: null, ipv6: null };
  if (!detailed || isNull(entry.tree)) return { attachment: plain, priority: 0 };
  const fields = reader.keyed(entry, attachmentKeys);
  if (fields === undefined) return undefined;
  const own: Section = { context, fields };
  const aliases = read(own, 'aliases', (r, f) => r.texts(f)) ?? [];
  const ipv4 = read(own, 'ipv4_address', (r, f) => address(r, f, 4, network)) ?? null;
  const ipv6 = read(own, 'ipv6_address', (r, f) => address(r, f, 6, network)) ?? null;
  const priority = read(own, 'priority', (r, f) => r.number(f, -1_000_000, 1_000_000)) ?? 0;
  return { attachment: { ...plain, aliases: [...new Set([service, ...aliases])], ipv4, ipv6 }, priority };
}

function address(reader: Reader, field: Field, family: 4 | 6, network: Network): string | undefined {
  const text = reader.text(field);
  if (text === undefined) return undefined;
  if (isIP(text) !== family) return reader.fail(field, `"${text}" is not an IPv${family} address; correct it`);
  const inside = network.subnets.some(({ subnet }) => contains(subnet, text, family));
  if (inside) return text;
  return reader.fail(field, `${text} is in no subnet of the network ${network.key}; give the network a subnet under ipam: that holds it`);
}

/** True when a subnet such as `10.0.0.0/24` holds the address. */
export function contains(subnet: string, ip: string, family: 4 | 6): boolean {
  const [base = '', bits = ''] = subnet.split('/');
  if (isIP(base) !== family) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(ip, family === 4 ? 'ipv4' : 'ipv6');
}

/** What the engine refuses beside each mode. */
const excluded: Record<string, readonly string[]> = {
  none: ['networks', 'ports'],
  host: ['networks', 'ports'],
  service: ['networks', 'ports', 'expose', 'hostname', 'dns', 'extra_hosts'],
};

/** `network_mode:`; null when the service has networks of its own. */
export function readNetworkMode(section: Section, service: string): Service['networkMode'] {
  const field = section.fields.get('network_mode');
  const mode = field && networkMode(section, field, service);
  if (field === undefined || mode === undefined) return null;
  for (const key of excluded[mode.mode] ?? []) {
    const other = section.fields.get(key);
    if (other !== undefined) section.context.reader.fail(other, `${key} cannot stand beside this network_mode; remove one of the two`);
  }
  return mode;
}

function networkMode(section: Section, field: Field, service: string): NonNullable<Service['networkMode']> | undefined {
  const { reader, services } = section.context;
  const text = reader.text(field);
  if (text === undefined) return undefined;
  if (text === 'none' || text === 'host') return { mode: text };
  const other = /^service:(.+)$/.exec(text)?.[1];
  if (other === undefined)
    return reader.fail(field, `"${text}" is not supported; use none, host or service:NAME, or leave it out for the project's own network`);
  if (!services.has(other)) return reader.fail(field, `there is no service ${other}; name one of this file`);
  if (other === service) return reader.fail(field, 'a service cannot share its own network; name another one');
  return { mode: 'service', service: other };
}
