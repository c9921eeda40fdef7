import { readFileSync, writeFileSync } from 'node:fs';
import type { TypeFigures } from './measure/injections.ts';
import { chaosTypesTable, withChaosTypes } from './report/chaos_types.ts';
import type { Study } from './study.ts';

/** Puts the table of chaos types, made of these results, into the README. */
export function rewriteReadme(readme: string, results: string): void {
  const study = JSON.parse(readFileSync(results, 'utf8')) as Study<TypeFigures[]>;
  writeFileSync(readme, withChaosTypes(readFileSync(readme, 'utf8'), chaosTypesTable(study)));
}
