import { mustBe, read, type Section, type Surroundings } from './context.ts';
import { volumeKeys } from './keys/top.ts';
import { readLabels, readOptions } from './maps.ts';
import type { Volume } from './model.ts';
import { engineName, keyName } from './names.ts';
import { type Field, isNull, type NamedField, type Reader } from './reader.ts';

/** The declared volumes by key. Whatever would outlive the removal of the volume is refused. */
export function readVolumes(context: Surroundings, field: Field | undefined): Map<string, Volume> {
  const entries = (field && context.reader.named(field, keyName)) ?? [];
  return new Map(entries.map((entry) => [entry.key, readVolume(context, entry)]));
}

function readVolume(context: Surroundings, entry: NamedField): Volume {
  const plain: Volume = { key: entry.key, name: `${context.projectName}_${entry.key}`, driver: null, driverOpts: {}, labels: {} };
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
  };
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
