import { isIP, isIPv6 } from 'node:net';

/** A port entry with its ranges written out; `hostPort` null: the engine picks one. */
export interface PortSpec {
  containerPort: number;
  hostPort: number | null;
  hostIp: string;
  protocol: 'tcp' | 'udp';
}

/** Most ports of one range: each published one costs the engine a proxy process. */
export const mostPorts = 256;

/**
 * Parses `[[address:][host]:]container[/protocol]`, ranges included. Answers one sentence when it cannot be used. The variables are replaced by now, so an
 * address may be one; as with Compose an IPv6 address needs no brackets.
 */
export function parsePort(given: string): PortSpec[] | string {
  const text = given.replace(/^([^[\]/]*):([^:]*:[^:]+)$/, (whole, address: string, ports: string) =>
    isIPv6(address) ? `[${address}]:${ports}` : whole,
  );
  const found = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([^:/]*):)?([^:/]+)(?:\/([^/]*))?$/.exec(text);
  if (!found) return `"${given}" is not a port mapping; write [address:][host port:]container port[/protocol]`;
  const [, address = '', host = '', container = '', protocol = 'tcp'] = found;
  return expandPort({ address: address.replace(/^\[(.*)\]$/, '$1'), host, container, protocol });
}

/** The same from separate parts; an empty `address` is all addresses, an empty `host` or `0` is any free port. */
export function expandPort(parts: { address: string; host: string; container: string; protocol: string }): PortSpec[] | string {
  const protocol = parts.protocol === '' ? 'tcp' : parts.protocol.toLowerCase();
  if (protocol !== 'tcp' && protocol !== 'udp') return `the protocol ${parts.protocol} is not supported; use tcp or udp`;
  const hostIp = parts.address === '' ? '0.0.0.0' : parts.address;
  if (isIP(hostIp) === 0) return `"${parts.address}" is not an IP address; name one of the host's, such as 127.0.0.1`;
  const container = parseRange(parts.container);
  if (container === null || container.first === 0)
    return `"${parts.container}" is not a container port; use 1 to 65535, or a range such as 8000-8002`;
  const count = container.last - container.first + 1;
  if (count > mostPorts) return `a range of ${count} ports is too many; publish at most ${mostPorts}`;
  const anyPort = parts.host === '' || (parts.host === '0' && count === 1);
  const host = anyPort ? null : parseRange(parts.host);
  if (host === null && !anyPort) {
    return `"${parts.host}" is not a host port; use 1 to 65535, or a range as long as the container's`;
  }
  if (host !== null && (host.first === 0 || host.last - host.first + 1 !== count)) {
    return `host ports ${parts.host} and container ports ${parts.container} differ in number; name one host port for each container port`;
  }
  return Array.from({ length: count }, (_, i) => ({
    containerPort: container.first + i,
    hostPort: host === null ? null : host.first + i,
    hostIp,
    protocol,
  }));
}

/** A port or a range `first-last`, inclusive; null when it is none. */
export function parseRange(text: string): { first: number; last: number } | null {
  const found = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (!found) return null;
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  return first <= last && last <= 65_535 ? { first, last } : null;
}
