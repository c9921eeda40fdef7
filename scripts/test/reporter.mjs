/**
 * A node:test reporter that writes one JSON line a test (`kind` pass, fail or skip) and an `end` line when the run has come to its end: a
 * process that dies half way leaves no such line. Suites count only when they fail by themselves, in a hook say.
 */
export default async function* reporter(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const record = toRecord(type, data);
    if (record) yield `${JSON.stringify(record)}\n`;
  }
  yield `${JSON.stringify({ kind: 'end' })}\n`;
}

/** What one test:pass or test:fail event counts as, or undefined when it counts as nothing. */
export function toRecord(type, data) {
  const { name, skip, todo, details } = data;
  const error = details?.error;
  if (details?.type === 'suite') {
    if (skip !== undefined && skip !== false) return { kind: 'skip', name, reason: reasonOf(skip) };
    if (type === 'test:pass' || error?.failureType === 'subtestsFailed') return undefined;
  }
  if (skip !== undefined && skip !== false) return { kind: 'skip', name, reason: reasonOf(skip) };
  if (todo !== undefined && todo !== false) return { kind: 'skip', name, reason: `to do: ${reasonOf(todo)}` };
  if (type === 'test:pass') return { kind: 'pass', name };
  return { kind: 'fail', name, reason: String(error?.cause?.message ?? error?.message ?? 'failed') };
}

function reasonOf(value) {
  return typeof value === 'string' ? value : '';
}
