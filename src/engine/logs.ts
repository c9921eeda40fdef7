import type { ApiContainer } from './api.ts';
import type { Client } from './client.ts';
import { demux, type OutputPiece } from './demux.ts';
import { createLineSplitter } from './lines.ts';
import { containerPath } from './paths.ts';

const maxTailBytes = 64 * 1024;

/** Engine.logTail. Whether the stream is framed depends on the container's TTY, which old engines do not say in the answer. */
export async function logTail(client: Client, id: string, lines: number, signal: AbortSignal): Promise<string[]> {
  const at = { op: 'logTail', target: id };
  const path = containerPath(at);
  const { Config: config } = await client.json<ApiContainer>({ ...at, method: 'GET', path: `${path}/json`, signal });
  const query = { stdout: '1', stderr: '1', tail: String(Math.max(0, Math.trunc(lines))) };
  return client.request({ ...at, method: 'GET', path: `${path}/logs`, query, signal }, ({ body }) =>
    tailOf(config.Tty ? raw(body) : demux(body), maxTailBytes),
  );
}

/**
 * The last lines in at most `maxBytes`, oldest first. The two streams may cut into each other's lines, so each has its own
 * splitter. Holds no more than the limit and one line at a time.
 */
export async function tailOf(pieces: AsyncIterable<OutputPiece>, maxBytes: number): Promise<string[]> {
  const splitters = { stdout: createLineSplitter(), stderr: createLineSplitter() };
  const kept: { line: string; bytes: number }[] = [];
  let total = 0;
  const keep = (lines: string[]) => {
    for (const full of lines) {
      const line = lastBytes(full, maxBytes);
      const bytes = Buffer.byteLength(line);
      kept.push({ line, bytes });
      total += bytes;
      while (total > maxBytes) total -= kept.shift()?.bytes ?? 0;
    }
  };
  for await (const { stream, data } of pieces) keep(splitters[stream].push(data));
  keep(splitters.stdout.end());
  keep(splitters.stderr.end());
  return kept.map(({ line }) => line);
}

async function* raw(body: AsyncIterable<Buffer>): AsyncGenerator<OutputPiece> {
  for await (const data of body) yield { stream: 'stdout', data };
}

/** The end of a text within a number of UTF-8 bytes, never half a character. */
function lastBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes) return text;
  let start = bytes.length - maxBytes;
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.toString('utf8', start);
}
