import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../', import.meta.url)).replace(/\/$/, '');

/** Every project of a bench begins so; nobody else's does. */
export const prefix = 'subjectd-bench-';
export const composePrefix = `${prefix}compose-`;
export const peerName = `${prefix}peer`;

/** Added to the files' own host ports, so that a service in use beside the bench keeps its own. */
export const portOffset = 7000;
/** Compose gets other ports than subjectd: an engine frees a port a moment after its container is gone, and Compose does not try twice. */
export const composePortOffset = 8000;
