import { type Context, read, type Section } from './context.ts';
import { dependencyKeys } from './keys/entries.ts';
import { compare } from './maps.ts';
import type { Dependency, DependencyCondition, Service } from './model.ts';
import type { Field, NamedField, Reader } from './reader.ts';
import { suggest } from './suggest.ts';

/** A dependency and where it is written. */
export interface Declared {
  dependency: Dependency;
  field: Field;
}

/**
 * `depends_on:` and what `network_mode: service:` implies, sorted by name. Left out are optional dependencies on services without an active profile;
 * a required one is reported when `active`.
 */
export function readDependencies(section: Section, networkMode: Service['networkMode'], active: boolean): Declared[] {
  const { context, fields } = section;
  const field = fields.get('depends_on');
  const declared = new Map((field === undefined ? [] : (entries(context, field) ?? [])).map((d) => [d.dependency.service, d]));
  const modeField = fields.get('network_mode');
  if (networkMode?.mode === 'service' && modeField !== undefined && !declared.has(networkMode.service)) {
    const dependency: Dependency = { service: networkMode.service, condition: 'service_started', required: true };
    declared.set(networkMode.service, { dependency, field: modeField });
  }
  const kept = [...declared.values()].filter((d) => keep(context, d, active));
  return kept.sort((a, b) => compare(a.dependency.service, b.dependency.service));
}

function keep(context: Context, { dependency, field }: Declared, active: boolean): boolean {
  const { service, required } = dependency;
  const known = context.services.get(service);
  if (known?.active === true || !active) return true;
  if (known !== undefined && required) {
    context.reader.fail(field, `depends on ${service}, whose profile is not active; activate the profile, or add required: false`);
  }
  return false;
}

function entries(context: Context, field: Field): Declared[] | undefined {
  const { reader } = context;
  if (field.tree.kind === 'list') {
    return reader.list(field)?.flatMap((item) => {
      const service = reader.text(item);
      if (service === undefined || !known(context, item, service)) return [];
      return [{ dependency: { service, condition: 'service_started', required: true }, field: item }];
    });
  }
  return reader.named(field)?.flatMap((entry) => longEntry(context, entry) ?? []);
}

function longEntry(context: Context, entry: NamedField): Declared | undefined {
  const { reader } = context;
  const fields = reader.keyed(entry, dependencyKeys);
  if (fields === undefined) return undefined;
  const own: Section = { context, fields };
  if (!fields.has('condition'))
    return reader.fail(entry, 'has no condition; add condition: service_started, service_healthy or service_completed_successfully');
  const condition = read(own, 'condition', readCondition);
  const required = read(own, 'required', (r, f) => r.flag(f)) ?? true;
  const at: Field = { tree: { kind: 'map', at: entry.keyAt, entries: new Map() }, path: entry.path };
  if (condition === undefined || !known(context, at, entry.key)) return undefined;
  return { dependency: { service: entry.key, condition, required }, field: at };
}

function readCondition(reader: Reader, field: Field): DependencyCondition | undefined {
  const text = reader.text(field);
  if (text === 'service_started' || text === 'service_healthy' || text === 'service_completed_successfully') return text;
  if (text === undefined) return undefined;
  return reader.fail(field, `"${text}" is no condition; use service_started, service_healthy or service_completed_successfully`);
}

function known(context: Context, field: Field, service: string): boolean {
  if (context.services.has(service)) return true;
  const near = suggest(service, [...context.services.keys()]);
  context.reader.fail(
    field,
    `there is no service ${service}; ${near === null ? 'declare it, or remove the dependency' : `did you mean ${near}?`}`,
  );
  return false;
}
