import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const adapter = (kind: string, nodes: string[], healthy = 'toolkit.nodes.every((n) => n.running)') => `export const adapter = {
  kind: '${kind}', summary: 'made for a test', nodeTypes: { ${nodes.map((n) => `${n}: 'node'`).join(', ')} }, defaultTarget: { type: 'node' }, imageVariables: [], roleNames: [],
  health: async (toolkit) => ({ healthy: ${healthy}, nodes: toolkit.nodes.map((n) => ({ name: n.name, health: n.running ? 'up' : 'down', address: n.name + ':1' })), issues: [], details: {} }),
  state: async () => ({ state: {}, missing: [], readable: true }),
  roles: async () => [],
};
`;

/** A folder of kinds that are only made to go wrong, for SUBJECTD_SUBJECTS_DIR. */
export class MadeKinds {
  readonly folder = mkdtempSync(join(tmpdir(), 'subjectd-kinds-'));

  /** Adds a kind of this compose file, with an adapter that calls it healthy by the expression `healthy` (default: when all its nodes run). */
  add(name: string, compose: string, nodes = ['a'], healthy?: string): void {
    mkdirSync(join(this.folder, name), { recursive: true });
    writeFileSync(join(this.folder, name, 'compose.yaml'), compose);
    writeFileSync(join(this.folder, name, 'adapter.mjs'), adapter(name, nodes, healthy));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
