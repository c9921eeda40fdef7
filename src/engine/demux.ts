/** A piece of output, in the order the engine sent it. A frame may come in several pieces. */
export interface OutputPiece {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

const headerBytes = 8;

/**
 * Takes the engine's framed output apart (one byte of stream number, three zeros, four of length, then the data; Engine
 * API, "Stream format"). Passes data on as it comes, whatever a frame's length. The engine's own errors (stream 3) count as
 * stderr. Throws on a header that is none and on an end within a frame.
 */
export async function* demux(source: AsyncIterable<Buffer>): AsyncGenerator<OutputPiece> {
  const header = Buffer.alloc(headerBytes);
  let inHeader = 0;
  let inFrame = 0;
  let stream: OutputPiece['stream'] = 'stdout';
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (inFrame > 0) {
        const data = chunk.subarray(at, at + inFrame);
        at += data.length;
        inFrame -= data.length;
        yield { stream, data };
        continue;
      }
      const copied = chunk.copy(header, inHeader, at, at + headerBytes - inHeader);
      at += copied;
      inHeader += copied;
      if (inHeader < headerBytes) continue;
      stream = streamOf(header);
      inFrame = header.readUInt32BE(4);
      inHeader = 0;
    }
  }
  if (inFrame > 0 || inHeader > 0) throw cut();
}

function streamOf(header: Buffer): OutputPiece['stream'] {
  if (header.readUInt8(0) > 3 || header.readUIntBE(1, 3) !== 0) throw new Error(`not a frame header: ${header.toString('hex')}`);
  return header.readUInt8(0) >= 2 ? 'stderr' : 'stdout';
}

/** Marked as a transport error: only a lost connection ends a frame early. */
function cut(): Error {
  return Object.assign(new Error('the output ended within a frame'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
}
