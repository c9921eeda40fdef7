import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Control } from '../src/control/api.ts';
import { buildApp } from '../src/http/app.ts';

/** The contract does not depend on what serves it. */
const nobody = new Proxy({} as Control, {
  get(_target, name) {
    if (name === 'events') return {};
    throw new Error(`the contract asked for ${String(name)}`);
  },
});

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
const app = await buildApp({ control: nobody, logger: false, token: null, allowedHosts: [], version });
const { body, statusCode } = await app.inject('/openapi.json');
await app.close();
if (statusCode !== 200) throw new Error(`/openapi.json answered ${statusCode}: ${body}`);
const file = new URL('../openapi/openapi.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(JSON.parse(body), null, 2)}\n`);
console.log(`openapi/openapi.json: ${Object.keys(JSON.parse(body).paths).length} paths`);
