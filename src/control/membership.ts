import { EngineError } from '../engine/port.ts';
import { observe } from '../kind/observe.ts';
import { deadline } from '../lib/until.ts';
import type { Context } from './context.ts';
import type { Host } from './host.ts';

/**
 * A service that runs in a container reaches the nodes by joining the subject's networks. It is a member only while something of the subject runs, so that it
 * is not in the way when somebody takes the project down with Compose. While an operation holds the subject, that one looks after it.
 */
export async function keepMembership(context: Context, host: Host): Promise<void> {
  if (context.reset.self === null || host.holder !== null) return;
  using limited = deadline('network membership', 10_000);
  await setMembership(context, host, () => host.holder === null, limited);
}

/** Leaves at once, whatever runs: somebody began to take the subject down, and the network is the last thing they remove. */
export async function leaveNetworks(context: Context, host: Host): Promise<void> {
  const { self } = context.reset;
  if (self === null || host.holder !== null) return;
  using limited = deadline('network membership', 10_000);
  await Promise.all(host.subject.project.networks.map((n) => context.engine.disconnectNetwork(n.name, self, true, limited)));
}

/** Joins the networks of a subject that runs, before its nodes are asked. For the holder of the subject. */
export async function joinNetworks(context: Context, host: Host, signal: AbortSignal): Promise<void> {
  if (context.reset.self === null) return;
  using limited = deadline('network membership', 10_000, signal);
  await setMembership(context, host, () => true, limited);
}

async function setMembership(context: Context, host: Host, mayAct: () => boolean, signal: AbortSignal): Promise<void> {
  const { self } = context.reset;
  if (self === null) return;
  const observed = await observe(context.engine, context.owner, host.subject, signal);
  const anyRunning = observed.some((o) => o.detail?.state === 'running' || o.detail?.state === 'paused');
  const us = await context.engine.inspectContainer(self, signal);
  for (const network of host.subject.project.networks) {
    const member = us?.networks.some((n) => n.name === network.name) ?? false;
    if (!mayAct()) return;
    try {
      if (anyRunning && !member) await context.engine.connectNetwork(network.name, self, {}, signal);
      if (!anyRunning && member) await context.engine.disconnectNetwork(network.name, self, true, signal);
    } catch (error) {
      // Gone or changed between the look and the act: the next event looks again.
      if (!(error instanceof EngineError) || error.reason === 'unreachable') throw error;
      context.log.debug({ error: error.message, network: network.name }, 'network membership');
    }
  }
}
