/** The query that asks for all of the labels (`key` or `key=value`); the engine joins them by AND. Nothing for none. */
export function labelQuery(labels: string[]): Record<string, string> {
  if (labels.length === 0) return {};
  return { filters: JSON.stringify({ label: Object.fromEntries(labels.map((label) => [label, true])) }) };
}
