/** The little of TOML that a tikv.toml uses: tables, and keys with a text, a number or a boolean. Answers `table.key` → value. Throws with the line. */
export function parseToml(text) {
  const values = {};
  let table = '';
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^((?:[^"#]|"[^"]*")*)#.*$/, '$1').trim();
    const heading = /^\[([\w.-]+)\]$/.exec(line);
    const pair = /^([\w.-]+)\s*=\s*("[^"]*"|-?[\d._]+|true|false)$/.exec(line);
    if (line === '') continue;
    if (heading) table = `${heading[1]}.`;
    else if (pair) values[`${table}${pair[1]}`] = JSON.parse(pair[2].replaceAll('_', ''));
    else throw new Error(`invalid configuration, line ${i + 1}: ${line}`);
  }
  return values;
}

/** `1h2m3s500ms` in milliseconds. Throws when it is none, as TiKV refuses its configuration. */
export function parseDuration(text) {
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const parts = [...String(text).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) throw new Error(`invalid duration: ${text}`);
  return parts.reduce((sum, [, amount, name]) => sum + Number(amount) * unit[name], 0);
}
