import { type Context, read, type Section } from './context.ts';
import { portKeys } from './keys/entries.ts';
import type { PortMapping } from './model.ts';
import { expandPort, mostPorts, type PortSpec, parsePort, parseRange } from './ports.ts';
import type { Field } from './reader.ts';

/** A published port and the entry it comes from. */
export interface Published {
  mapping: PortMapping;
  field: Field;
}

/** `ports:` with ranges written out and the offset added to fixed host ports. The same mapping twice counts once. */
export function readPorts(section: Section): Published[] {
  const { context, fields } = section;
  const field = fields.get('ports');
  const published = new Map<string, Published>();
  for (const item of (field && context.reader.list(field)) ?? []) {
    for (const spec of portSpecs(context, item) ?? []) {
      const mapping = shift(context, item, spec);
      if (mapping) published.set(JSON.stringify(mapping), { mapping, field: item });
    }
  }
  return [...published.values()];
}

function portSpecs(context: Context, item: Field): PortSpec[] | undefined {
  const { reader } = context;
  if (item.tree.kind !== 'map') {
    const text = reader.scalarText(item);
    const specs = text === undefined ? undefined : parsePort(text);
    return typeof specs === 'string' ? reader.fail(item, specs) : specs;
  }
  const fields = reader.keyed(item, portKeys);
  if (fields === undefined) return undefined;
  const own: Section = { context, fields };
  if (!fields.has('target')) return reader.fail(item, 'names no container port; add target:');
  const target = read(own, 'target', (r, f) => r.integer(f, 1, 65_535));
  if (target === undefined) return undefined;
  const text = (key: string) => read(own, key, (r, f) => r.scalarText(f)) ?? '';
  const specs = expandPort({ address: text('host_ip'), host: text('published'), container: String(target), protocol: text('protocol') });
  return typeof specs === 'string' ? reader.fail(item, specs) : specs;
}

function shift(context: Context, item: Field, spec: PortSpec): PortMapping | undefined {
  const { containerPort, protocol, hostIp, hostPort } = spec;
  if (hostPort === null) return { containerPort, protocol, hostIp, hostPort };
  const shifted = hostPort + context.portOffset;
  if (shifted >= 1 && shifted <= 65_535) return { containerPort, protocol, hostIp, hostPort: shifted };
  return context.reader.fail(
    item,
    `the host port ${hostPort} with the offset ${context.portOffset} is ${shifted}; choose a port or an offset that stays within 1 to 65535`,
  );
}

/** Container ports of `expose:`, each once. */
export function readExpose(section: Section): number[] {
  const { context, fields } = section;
  const field = fields.get('expose');
  const ports = ((field && context.reader.list(field)) ?? []).flatMap((item) => exposed(context, item) ?? []);
  return [...new Set(ports)];
}

function exposed(context: Context, item: Field): number[] | undefined {
  const text = context.reader.scalarText(item);
  if (text === undefined) return undefined;
  const range = parseRange(text.replace(/\/tcp$/i, ''));
  const way = "nodes reach each other's ports without expose:, remove it";
  if (range === null || range.first === 0) return context.reader.fail(item, `"${text}" is not a TCP port or range; ${way}`);
  if (range.last - range.first >= mostPorts)
    return context.reader.fail(item, `a range of more than ${mostPorts} ports is too many; ${way}`);
  return Array.from({ length: range.last - range.first + 1 }, (_, i) => range.first + i);
}
