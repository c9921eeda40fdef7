import { read, type Section } from './context.ts';
import { healthcheckKeys } from './keys/entries.ts';
import type { HealthCheck, Service } from './model.ts';
import type { Field, Reader } from './reader.ts';
import { splitCommand } from './shell.ts';

/** `command:` or `entrypoint:`; null when the image's own is taken. An empty one clears the image's. */
export function readCommand(section: Section, key: string): string[] | null {
  return read(section, key, commandWords) ?? null;
}

function commandWords(reader: Reader, field: Field): string[] | undefined {
  if (field.tree.kind === 'list') {
    return reader.list(field)?.flatMap((item) => reader.anyText(item) ?? []);
  }
  const text = reader.anyText(field);
  if (text === undefined) return undefined;
  const words = splitCommand(text);
  return typeof words === 'string' ? reader.fail(field, words) : words;
}

/** `restart:`, by default `no`. */
export function readRestart(section: Section): Service['restart'] {
  return read(section, 'restart', restartPolicy) ?? { policy: 'no', maxRetries: 0 };
}

function restartPolicy(reader: Reader, field: Field): Service['restart'] | undefined {
  const text = reader.text(field);
  if (text === undefined) return undefined;
  if (text === 'no' || text === 'always' || text === 'unless-stopped') return { policy: text, maxRetries: 0 };
  const failures = /^on-failure(?::([0-9]{1,9}))?$/.exec(text);
  if (failures) return { policy: 'on-failure', maxRetries: Number(failures[1] ?? 0) };
  return reader.fail(field, `"${text}" is no restart policy; use "no", always, unless-stopped, on-failure or on-failure:5`);
}

/** The engine's own defaults (Engine API, HealthConfig: 0 means inherit or default). */
const defaults = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 };

/** `healthcheck:`; null when the file has none. */
export function readHealthCheck(section: Section): Service['healthCheck'] {
  const field = section.fields.get('healthcheck');
  if (field === undefined) return null;
  const { reader } = section.context;
  const fields = reader.keyed(field, healthcheckKeys);
  if (fields === undefined) return null;
  const own: Section = { context: section.context, fields };
  const time = (key: string, fallback: number) => read(own, key, (r, f) => r.duration(f)) || fallback;
  const check: HealthCheck = {
    test: read(own, 'test', healthTest) ?? [],
    intervalMs: time('interval', defaults.intervalMs),
    timeoutMs: time('timeout', defaults.timeoutMs),
    retries: read(own, 'retries', (r, f) => r.integer(f, 0, 1_000_000)) || defaults.retries,
    startPeriodMs: time('start_period', defaults.startPeriodMs),
    startIntervalMs: time('start_interval', 0) || null,
  };
  if (read(own, 'disable', (r, f) => r.flag(f)) === true || check.test[0] === 'NONE') return 'disabled';
  if (!fields.has('test')) reader.fail(field, "has no test; add test:, or remove healthcheck: to take the image's own check");
  return check;
}

function healthTest(reader: Reader, field: Field): string[] | undefined {
  if (field.tree.kind !== 'list') {
    const text = reader.text(field);
    return text === undefined ? undefined : ['CMD-SHELL', text];
  }
  const words = reader.list(field)?.flatMap((item) => reader.anyText(item) ?? []) ?? [];
  const [first] = words;
  if (first === 'NONE' && words.length === 1) return words;
  if ((first === 'CMD' || first === 'CMD-SHELL') && words.length > 1) return words;
  return reader.fail(field, 'must be ["CMD", program, …], ["CMD-SHELL", text] or ["NONE"]');
}
