import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { KeyTable } from '../../src/compose/keys/rule.ts';
import { subset } from '../../src/compose/keys/subset.ts';

const documentation = readFileSync(new URL('../../docs/compose-subset.md', import.meta.url), 'utf8');

/** The tables of the documentation under their headings, cell by cell. */
function documented(): Map<string, string[][]> {
  const tables = new Map<string, string[][]>();
  for (const section of documentation.split(/^### /m).slice(1)) {
    const [heading = '', ...lines] = section.split('\n');
    const rows = lines
      .filter((line) => line.startsWith('| `'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    tables.set(heading.trim(), rows);
  }
  return tables;
}

const rowsOf = (table: KeyTable) => Object.entries(table).map(([key, { support, note }]) => [`\`${key}\``, support, note]);

describe('docs/compose-subset.md', () => {
  it('has a table for each mapping of the subset, and no other', () => {
    assert.deepEqual([...documented().keys()], Object.keys(subset));
  });
  for (const [heading, table] of Object.entries(subset)) {
    it(`shows ${heading} as the source has it`, () => assert.deepEqual(documented().get(heading), rowsOf(table)));
  }
});
