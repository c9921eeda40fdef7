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

/** The kinds of the tests too, and subnets for those that have fixed ones, unless the environment has others. */
export function kindsEnv(): Record<string, string> {
  return {
    SUBJECTD_SUBJECTS_DIR: `${root}/test/kinds`,
    TRIO_SUBNET: process.env.TRIO_SUBNET ?? '10.199.17.0/24',
    TRIO_SUBNET6: process.env.TRIO_SUBNET6 ?? 'fd00:5bd0:17::/64',
  };
}
