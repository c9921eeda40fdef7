import { mustBe, read, type Section, type Surroundings } from './context.ts';
import { boundedKeys, volumeKeys } from './keys/top.ts';
import { readLabels, readOptions } from './maps.ts';
import type { Volume } from './model.ts';
import { fileMode } from './mounts.ts';
import { engineName, keyName } from './names.ts';
import { type Field, isNull, type NamedField, type Reader } from './reader.ts';

const leastBounded = 16 * 1024 * 1024;

/** The declared volumes by key. Whatever would outlive the removal of the volume is refused. */
export function readVolumes(context: Surroundings, field: Field | undefined): Map<string, Volume> {
  const entries = (field && context.reader.named(field, keyName)) ?? [];
  return new Map(entries.map((entry) => [entry.key, readVolume(context, entry)]));
}

function readVolume(context: Surroundings, entry: NamedField): Volume {
  const plain: Volume = {
    key: entry.key,
    name: `${context.projectName}_${entry.key}`,
    driver: null,
    driverOpts: {},
    labels: {},
    bounded: null,
  };
  const fields = isNull(entry.tree) ? undefined : context.reader.keyed(entry, volumeKeys);
  if (fields === undefined) return plain;
  const section: Section<Surroundings> = { context, fields };
  mustBe(section, 'external', false, volumeKeys);
  return {
    ...plain,
    name: read(section, 'name', engineName) ?? plain.name,
    driver: read(section, 'driver', localDriver) ?? null,
    driverOpts: read(section, 'driver_opts', tmpfsOptions) ?? {},
    labels: read(section, 'labels', readLabels) ?? {},
    bounded: readBounded(section),
  };
}

function readBounded({ context, fields }: Section<Surroundings>): Volume['bounded'] {
  const field = fields.get('x-subjectd');
  const own = field && context.reader.keyed(field, boundedKeys);
  if (field === undefined || own === undefined) return null;
  const section: Section<Surroundings> = { context, fields: own };
  if (fields.has('driver_opts'))
    return context.reader.fail(field, 'a volume of limited size has no driver_opts; remove one of the two') ?? null;
  if (!own.has('size')) return context.reader.fail(field, 'names no size; add size:') ?? null;
  const id = (key: string) => read(section, key, (r, f) => r.integer(f, 0, 2 ** 31 - 1)) ?? 0;
  const bytes = read(section, 'size', boundedSize);
  return bytes === undefined ? null : { bytes, uid: id('uid'), gid: id('gid'), mode: read(section, 'mode', fileMode) ?? 0o755 };
}

function boundedSize(reader: Reader, field: Field): number | undefined {
  const bytes = reader.bytes(field);
  return bytes === undefined || bytes >= leastBounded ? bytes : reader.fail(field, 'is too small for a filesystem; give it at least 16m');
}

function localDriver(reader: Reader, field: Field): string | undefined {
  const driver = reader.text(field);
  if (driver === undefined || driver === 'local') return driver;
  return reader.fail(field, `the volume driver ${driver} is not supported; use local, or leave driver: out`);
}

/** With `o: bind` or another device the local driver mounts something that stays when the volume is removed. */
function tmpfsOptions(reader: Reader, field: Field): Record<string, string> | undefined {
  const options = reader.named(field) && readOptions(reader, field);
  if (options === undefined) return undefined;
  const { type, device, o = '', ...others } = options;
  const safe = type === 'tmpfs' && device === 'tmpfs' && Object.keys(others).length === 0 && !/bind|move|remount/.test(o);
  if (safe || Object.keys(options).length === 0) return options;
  return reader.fail(field, 'only a tmpfs can be reset (type: tmpfs, device: tmpfs, o: size=…); remove the options, or use those');
}
