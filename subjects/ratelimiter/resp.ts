/** Redis' wire format (RESP2), as much as reading a state needs: https://redis.io/docs/latest/develop/reference/protocol-spec/ */

export type RespValue = string | number | null | RespError | RespValue[];

/** An error reply; it stands where the answer would. */
export class RespError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** One command as bytes to send. */
export function encodeCommand(parts: readonly (string | number)[]): string {
  const bulks = parts.map((part) => {
    const text = String(part);
    return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
  });
  return `*${parts.length}\r\n${bulks.join('')}`;
}

/** The first `count` replies in what was received, or null while they are not all there. Throws an Error when it is not RESP2. */
export function decodeReplies(received: string, count: number): RespValue[] | null {
  const reader = new Reader(Buffer.from(received, 'utf8'));
  const replies: RespValue[] = [];
  for (let i = 0; i < count; i++) {
    const reply = reader.value();
    if (reply === undefined) return null;
    replies.push(reply);
  }
  return replies;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The next value; undefined when it is not whole. */
  value(): RespValue | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
        return rest;
      case '-':
        return new RespError(rest);
      case ':':
        return number(rest);
      case '$':
        return this.#bulk(number(rest));
      case '*':
        return this.#array(number(rest));
      default:
        throw new Error(`not a Redis reply: ${JSON.stringify(line.slice(0, 40))}`);
    }
  }

  #line(): string | undefined {
    const end = this.#bytes.indexOf('\r\n', this.#at);
    if (end < 0) return undefined;
    const line = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #bulk(length: number): string | null | undefined {
    if (length < 0) return null;
    const end = this.#at + length;
    if (this.#bytes.length < end + 2) return undefined;
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 2;
    return text;
  }

  #array(length: number): RespValue[] | null | undefined {
    if (length < 0) return null;
    const values: RespValue[] = [];
    for (let i = 0; i < length; i++) {
      const value = this.value();
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }
}

function number(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`not a number in a Redis reply: ${JSON.stringify(text.slice(0, 40))}`);
  return Number(text);
}
