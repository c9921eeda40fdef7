export type Row = readonly string[];

/** A Markdown table. The first `words` columns are for words, the others for figures, which stand at the right. */
export function table(head: Row, rows: readonly Row[], words = 1): string[] {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i < words ? '---' : '---:'))), ...rows.map(line)];
}
