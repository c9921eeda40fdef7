import type { NetworkCreate } from '../engine/port.ts';
import type { Existing, NetworkShape } from './existing.ts';
import { formatAddress, parseRange } from './subnet.ts';

/**
 * The networks that need not be made anew: exactly what would be made again, addresses and labels included, with nobody on them but the subject's own
 * containers and `self`, which is then left on it. By id, with the containers that may stay. Pure.
 */
export function keptNetworks(existing: Existing, wanted: readonly NetworkCreate[], self: string | null): Map<string, string[]> {
  const kept = new Map<string, string[]>();
  for (const body of wanted) {
    const [network, second] = existing.networks.filter((n) => n.name === body.Name);
    if (network === undefined || second !== undefined) continue;
    const guests = network.guests.map((g) => g.id);
    if (guests.every((id) => id === self) && isAsWanted(network.shape, body)) kept.set(network.id, guests);
  }
  return kept;
}

/** What the engine would choose by itself (no subnet is asked for) is never as wanted: it may choose otherwise the next time. */
function isAsWanted(shape: NetworkShape, body: NetworkCreate): boolean {
  const asked = body.IPAM?.Config ?? [];
  return (
    shape.driver === body.Driver &&
    shape.internal === (body.Internal ?? false) &&
    shape.enableIpv6 === (body.EnableIPv6 ?? false) &&
    sameEntries(shape.options, body.Options ?? {}) &&
    sameEntries(shape.labels, body.Labels) &&
    asked.length > 0 &&
    asked.length === shape.subnets.length &&
    asked.every(({ Subnet, Gateway }, i) => shape.subnets[i] === Subnet && isGateway(shape.gateways[i] ?? null, Subnet, Gateway))
  );
}

/** Where none is asked for, the engine takes the subnet's first address, and may not tell. */
function isGateway(found: string | null, subnet: string, asked: string | undefined): boolean {
  if (asked !== undefined) return found === asked;
  const range = parseRange(subnet);
  return found === null || (range !== null && found === formatAddress(range.first + 1));
}

function sameEntries(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
