import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { OutputPiece } from '../../src/engine/demux.ts';
import { tailOf } from '../../src/engine/logs.ts';

async function* pieces(list: [OutputPiece['stream'], string | Buffer][]): AsyncGenerator<OutputPiece> {
  for (const [stream, data] of list) yield { stream, data: Buffer.from(data as string) };
}

describe('the log tail', () => {
  it('keeps the order of the two streams and does not join their lines', async () => {
    const lines = await tailOf(
      pieces([
        ['stdout', 'one\ntw'],
        ['stderr', 'err\n'],
        ['stdout', 'o\r\n'],
        ['stderr', 'last'],
      ]),
      1000,
    );
    assert.deepEqual(lines, ['one', 'err', 'two', 'last']);
  });

  it('is never more than its limit in bytes, and always the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'grapheme' }).filter((s) => !/[\n\r]/.test(s)),
          { maxLength: 30 },
        ),
        fc.integer({ min: 1, max: 60 }),
        async (all, max) => {
          const kept = await tailOf(pieces([['stdout', all.map((line) => `${line}\n`).join('')]]), max);
          assert.ok(kept.reduce((sum, line) => sum + Buffer.byteLength(line), 0) <= max);
          for (const [i, line] of kept.entries()) assert.ok((all.at(i - kept.length) ?? '').endsWith(line));
          if (all.length > 0) assert.ok(kept.length > 0);
        },
      ),
    );
  });

  it('shows the end of a line that is longer than the limit, without half a character', async () => {
    assert.deepEqual(await tailOf(pieces([['stdout', `${'ä'.repeat(50)}\n`]]), 5), ['ää']);
  });
});
