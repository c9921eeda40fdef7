import { readFileSync } from 'node:fs';

/** True when version `have` ("20.19.2") is at least `need` ("20.19"). */
export function isAtLeast(have, need) {
  const a = have.split('.').map(Number);
  const b = need.split('.').map(Number);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] || 0) - (b[i] || 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Ends the process with one sentence when this Node is older than package.json asks for. Imports nothing that an old Node cannot parse. */
export function requireNode() {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const need = engines.node.replace(/^>=\s*/, '');
  if (isAtLeast(process.versions.node, need)) return;
  process.stderr.write(
    `subjectd: Node ${need} or newer is needed, this is ${process.versions.node}; install a newer Node and run the command again.\n`,
  );
  process.exit(1);
}
