import { connect } from 'node:net';
import type { Service } from '../compose/model.ts';
import type { ContainerDetail } from '../engine/port.ts';

/** A refusal comes at once; what drops everything must not hold up the wait. */
const knockMs = 200;

/**
 * Whether one of the TCP ports that a service publishes takes connections, at the container's own address: next to nothing beside a run of its health
 * check. Null when that cannot be told: it publishes none, or has no address. Never rejects.
 */
export async function knock(service: Service, container: ContainerDetail): Promise<boolean | null> {
  const host = container.networks.find((n) => n.ipv4 !== null)?.ipv4;
  const ports = service.ports.filter((p) => p.protocol === 'tcp').map((p) => p.containerPort);
  if (host === null || host === undefined || ports.length === 0) return null;
  const taken = await Promise.all(ports.map((port) => takes(host, port)));
  return taken.includes(true);
}

function takes(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(knockMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
