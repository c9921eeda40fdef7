import type { Service } from '../compose/model.ts';

/** From this API version on an engine takes settings of an interface in another way, which is not used here. */
const refusedFrom = [1, 46] as const;

/**
 * Asks for a neighbour's address (ARP) every 50 ms instead of every second, and for the same 3 s in all. The address of a container that is being started can be
 * resolved before it answers; whoever connects in that moment waits for the next asking, and a system that gives its peers one second each, as etcd does, and PD
 * with it, counts them as absent. What is measured with and without: bench/README.md.
 */
const eager = { retrans_time_ms: '50', mcast_solicit: '60' };

/** The kernel settings of a service's first interface, where it has one of its own; none for an engine (by its API version) that refuses them in this form. */
export function neighbourSysctls(service: Service, apiVersion: string): Record<string, string> {
  const own = service.networkMode === null && service.networks.length > 0;
  if (!own || !takesInterfaceSysctls(apiVersion)) return {};
  return Object.fromEntries(Object.entries(eager).map(([name, value]) => [`net.ipv4.neigh.eth0.${name}`, value]));
}

/** False as well for what is no version. */
export function takesInterfaceSysctls(apiVersion: string): boolean {
  const [major, minor] = apiVersion.split('.').map(Number);
  if (major === undefined || minor === undefined || !Number.isInteger(major) || !Number.isInteger(minor)) return false;
  return major < refusedFrom[0] || (major === refusedFrom[0] && minor < refusedFrom[1]);
}
