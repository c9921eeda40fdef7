import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '');

/** Where set-up keeps what it can make again: staged build contexts, hashes, test results. */
export const cache = join(root, '.cache');
