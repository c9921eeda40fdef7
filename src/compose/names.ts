import type { Field, Reader } from './reader.ts';

/** Keys of services, networks, volumes, configs and secrets. */
export const keyName = /^[a-zA-Z0-9._-]+$/;

/** Project names, as Compose has them. */
export const projectName = /^[a-z0-9][a-z0-9_-]*$/;

/** A name that the engine takes for a container, network or volume. */
export function engineName(reader: Reader, field: Field): string | undefined {
  const text = reader.text(field);
  if (text === undefined || (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(text) && text.length <= 255)) return text;
  return reader.fail(
    field,
    `"${text}" is no name that the engine takes; use two or more letters, digits, "_", "." and "-", starting with a letter or digit`,
  );
}

const domain = '[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?';
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const reference = new RegExp(
  `^(?:${domain}/)?${component}(?:/${component})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/** An image reference: `[registry/]name[:tag][@digest]`. */
export function imageReference(reader: Reader, field: Field): string | undefined {
  const text = reader.text(field);
  if (text === undefined || (text.length <= 512 && reference.test(text))) return text;
  return reader.fail(
    field,
    `"${text.slice(0, 200)}" is no image reference; write [registry/]name[:tag][@digest], the name in small letters`,
  );
}
