import type { Adapter, Node, Toolkit } from '../../../src/kind/adapter.ts';

const answers = async (toolkit: Toolkit, node: Node, signal: AbortSignal) => {
  const answer = await toolkit.tcp(node, 6379, 'PING\r\n', (text) => text.includes('\r\n'), { timeoutMs: 1000 }, signal);
  return answer.reached && answer.text.startsWith('+PONG');
};

/** Three nodes that know nothing of each other; healthy is who answers. */
export const adapter: Adapter = {
  kind: 'trio',
  summary: 'Three small nodes, for the tests of faults.',
  nodeTypes: { cell0: 'cell', cell1: 'cell', cell2: 'cell' },
  defaultTarget: { type: 'cell' },
  imageVariables: ['REDIS_IMAGE'],
  roleNames: [],
  roles: async () => [],
  async health(toolkit, signal) {
    const up = await Promise.all(toolkit.nodes.map((n) => answers(toolkit, n, signal)));
    const nodes = toolkit.nodes.map((n, i) => ({
      name: n.name,
      health: up[i] ? ('up' as const) : ('down' as const),
      address: `${n.name}:6379`,
    }));
    const issues = nodes.filter((n) => n.health === 'down').map((n) => `${n.name} does not answer`);
    return { healthy: issues.length === 0, nodes, issues, details: {} };
  },
  async state(toolkit, signal) {
    const up = await Promise.all(toolkit.nodes.map((n) => answers(toolkit, n, signal)));
    return { state: { up: up.filter(Boolean).length }, missing: [], readable: up.some(Boolean) };
  },
};
