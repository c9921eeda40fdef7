import { requireNode } from './setup/node-version.mjs';

// Everything else is loaded after this check, so that an old Node meets a sentence and not a syntax error.
requireNode();
const { runAfterSetup } = await import('./setup/harness.mjs');

/** `npm run test:crash`: the service is cut off at every point of injections, heals and resets. */
await runAfterSetup('test/crash/run.ts', process.argv.slice(2));
