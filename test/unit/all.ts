// Every unit test in one process: starting one per file takes several times as long.
import { readdirSync } from 'node:fs';

const here = new URL('./', import.meta.url);
for (const file of readdirSync(here).sort()) {
  if (file.endsWith('.test.ts')) await import(new URL(file, here).href);
}
