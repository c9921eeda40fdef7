import { requireNode } from './setup/node-version.mjs';

// Everything else is loaded after this check, so that an old Node meets a sentence and not a syntax error.
requireNode();
const { start } = await import('./setup/start.mjs');
await start();
