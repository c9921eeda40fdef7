import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { demux, type OutputPiece } from '../../src/engine/demux.ts';
import { createLineSplitter, linesOf } from '../../src/engine/lines.ts';

/** A frame as the engine writes it. */
function frame(stream: number, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}

async function* chunked(bytes: Buffer, cuts: number[]): AsyncGenerator<Buffer> {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  for (const [i, place] of places.entries()) yield bytes.subarray(place, places[i + 1] ?? bytes.length);
}

async function collect(source: AsyncIterable<OutputPiece>): Promise<OutputPiece[]> {
  const pieces: OutputPiece[] = [];
  for await (const piece of source) pieces.push(piece);
  return pieces;
}

const textOf = (pieces: OutputPiece[], stream: string) => Buffer.concat(pieces.filter((p) => p.stream === stream).map((p) => p.data));

/** Neighbours of one stream joined: the order across streams without the pieces. */
function runs(pieces: { stream: string; data: Buffer }[]): [string, string][] {
  const joined: [string, string][] = [];
  for (const { stream, data } of pieces) {
    const last = joined.at(-1);
    if (data.length === 0) continue;
    if (last?.[0] === stream) last[1] += data.toString('hex');
    else joined.push([stream, data.toString('hex')]);
  }
  return joined;
}

const frames = fc.array(
  fc.record({ stream: fc.constantFrom(0, 1, 2, 3), data: fc.uint8Array({ maxLength: 40 }).map((a) => Buffer.from(a)) }),
  { maxLength: 20 },
);
const cuts = fc.array(fc.nat(2000), { maxLength: 60 });

describe('demux', () => {
  it('gives the same bytes in the same order, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(frames, cuts, async (list, places) => {
        const bytes = Buffer.concat(list.map(({ stream, data }) => frame(stream, data)));
        const pieces = await collect(demux(chunked(bytes, places)));
        const expected = list.map(({ stream, data }) => ({ stream: stream >= 2 ? 'stderr' : 'stdout', data }));
        assert.deepEqual(runs(pieces), runs(expected));
      }),
    );
  });

  it('takes a chunk of a hundred thousand frames without recursion', async () => {
    const one = frame(1, Buffer.from('x'));
    const pieces = await collect(demux(chunked(Buffer.concat(Array.from({ length: 100_000 }, () => one)), [])));
    assert.equal(textOf(pieces, 'stdout').length, 100_000);
  });

  it('passes a frame on before it is whole', async () => {
    const bytes = frame(2, Buffer.alloc(1000, 'e'));
    const source = demux(chunked(bytes, [100]));
    const first = await source.next();
    assert.equal(first.value?.data.length, 92);
    await source.return(undefined);
  });

  it('throws when the stream ends within a frame, wherever that is', async () => {
    const bytes = frame(1, Buffer.from('hello'));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: bytes.length - 1 }), async (length) => {
        await assert.rejects(collect(demux(chunked(bytes.subarray(0, length), []))), /ended within a frame/);
      }),
    );
  });

  it('throws on bytes that are no frame instead of guessing', async () => {
    await assert.rejects(collect(demux(chunked(Buffer.from('plain text of a terminal'), []))), /not a frame header/);
  });
});

describe('lines', () => {
  it('are those of the whole text, however its bytes are cut', async () => {
    const text = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 12 }).map((parts) => parts.join('\n'));
    await fc.assert(
      fc.asyncProperty(text, cuts, async (raw, places) => {
        const clean = Buffer.from(raw, 'utf8').toString('utf8');
        const lines: string[] = [];
        for await (const line of linesOf(chunked(Buffer.from(clean, 'utf8'), places))) lines.push(line);
        const expected = clean.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
        if (clean === '' || clean.endsWith('\n')) expected.pop();
        assert.deepEqual(lines, expected);
      }),
    );
  });

  it('keep what has no newline yet until the end', () => {
    const splitter = createLineSplitter();
    assert.deepEqual(splitter.push(Buffer.from('a\nb')), ['a']);
    assert.deepEqual(splitter.push(Buffer.from('c')), []);
    assert.deepEqual(splitter.end(), ['bc']);
    assert.deepEqual(splitter.end(), []);
  });
});
