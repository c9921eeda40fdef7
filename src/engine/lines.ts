/** Cuts a byte stream into lines without their ends. UTF-8 may be split anywhere; a last line needs no newline. */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const splitter = createLineSplitter();
  for await (const chunk of source) yield* splitter.push(chunk);
  yield* splitter.end();
}

/** The same, pushed. */
export function createLineSplitter(): { push(chunk: Uint8Array): string[]; end(): string[] } {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  const cut = (text: string): string[] => {
    const parts = text.split('\n');
    rest = parts.pop() ?? '';
    return parts.map(withoutReturn);
  };
  return {
    push(chunk) {
      const text = decoder.decode(chunk, { stream: true });
      // Only the new text is searched, so that a very long line costs no more than its length.
      if (!text.includes('\n')) {
        rest += text;
        return [];
      }
      return cut(rest + text);
    },
    end() {
      const last = rest + decoder.decode();
      rest = '';
      return last === '' ? [] : [withoutReturn(last)];
    },
  };
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
