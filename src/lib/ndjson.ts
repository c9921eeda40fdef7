/** What reading a file of JSON lines found. */
export interface NdjsonRead {
  records: unknown[];
  /** Bytes behind this offset are a torn write: no newline, or not JSON with nothing good behind it. */
  goodBytes: number;
  /** Lines (from 1) that are not JSON and have good lines behind them: damage, which no crash leaves. */
  damagedLines: number[];
}

/** Parses JSON lines; never throws on content. */
export function readNdjson(bytes: Buffer): NdjsonRead {
  const records: unknown[] = [];
  const bad: number[] = [];
  let goodBytes = 0;
  let lastGoodLine = 0;
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1) break;
    try {
      records.push(JSON.parse(bytes.toString('utf8', start, end)));
      goodBytes = end + 1;
      lastGoodLine = line;
    } catch {
      bad.push(line);
    }
    start = end + 1;
  }
  return { records, goodBytes, damagedLines: bad.filter((line) => line < lastGoodLine) };
}

/** One record as a line. */
export function ndjsonLine(record: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`, 'utf8');
}
