import type { Node } from '../../src/kind/adapter.ts';
import { adapter } from '../../subjects/ratelimiter/adapter.ts';

const startedAt = Date.parse('2026-01-01T00:00:10.000Z');
/** A node of the kind that runs, as the engine tells it. */
export const node = (name: string, over: Partial<Node> = {}): Node => ({
  name,
  type: name === 'redis' ? 'redis' : 'limiter',
  container: `ratelimiter-${name}-1`,
  containerId: name,
  running: true,
  startedAt,
  address: '10.0.0.1',
  ...over,
});
export const nodes = Object.keys(adapter.nodeTypes).map((name) => node(name));
/** What a limiter of this start says of itself. */
export const reply = (name: string) => ({ node: name, instance: `i-${name}`, started_at: '2026-01-01T00:00:10.100Z' });
/** The same limiter in the list of nodes that Redis keeps. */
export const entry = (name: string) => ({ id: name, address: `${name}:8080`, started_at: '', last_seen: '', instance: `i-${name}` });
