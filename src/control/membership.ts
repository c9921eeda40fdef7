import { EngineError } from '../engine/port.ts';
import { observe } from '../kind/observe.ts';
import { deadline } from '../lib/until.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';

/**
 * A service that runs in a container reaches the nodes by joining the subject's networks. It is a member only while something of the subject runs, so that it
 * is not in the way when somebody takes the project down with Compose.
 */
export async function keepMembership(context: Context, host: Host): Promise<void> {
  const { self } = context.reset;
  if (self === null || host.holder !== null) return;
  using limited = deadline('network membership', 10_000);
  const observed = await observe(context.engine, context.owner, host.subject, limited);
  const anyRunning = observed.some((o) => o.detail?.state === 'running' || o.detail?.state === 'paused');
  const us = await context.engine.inspectContainer(self, limited);
  for (const network of host.subject.project.networks) {
    const member = us?.networks.some((n) => n.name === network.name) ?? false;
    // An operation that began meanwhile looks after the membership itself.
    if (host.holder !== null) return;
    try {
      if (anyRunning && !member) await context.engine.connectNetwork(network.name, self, {}, limited);
      if (!anyRunning && member) await context.engine.disconnectNetwork(network.name, self, true, limited);
    } catch (error) {
      // Gone or changed between the look and the act: the next event looks again.
      if (!(error instanceof EngineError) || error.reason === 'unreachable') throw error;
      context.log.debug({ error: error.message, network: network.name }, 'network membership');
    }
  }
}
