import { requireNode } from './setup/node-version.mjs';

// Everything else is loaded after this check, so that an old Node meets a sentence and not a syntax error.
requireNode();
const { runAfterSetup } = await import('./setup/harness.mjs');

/** `npm run bench`. */
await runAfterSetup('bench/run.ts', process.argv.slice(2));
