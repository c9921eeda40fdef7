/** A name with or without a port, lower case. An IPv6 address keeps its brackets. */
interface HostName {
  name: string;
  port: string | null;
}

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Reads `name`, `name:port` or `[v6]:port`; null when it is none of them. */
export function parseHost(text: string | undefined): HostName | null {
  const [, name, port] = /^(\[[0-9a-f:.]+\]|[^\s:[\]@/?#]+)(?::(\d{1,5}))?$/i.exec(text ?? '') ?? [];
  return name === undefined ? null : { name: name.toLowerCase(), port: port ?? null };
}

const absolute = /^https?:\/\/([^/?#]*)/i;

/** The authority that a request target in absolute form (`http://name/path`) has; null for the usual form. */
export function authorityOf(target: string): string | null {
  return absolute.exec(target)?.[1] ?? null;
}

/** A request target as a path, whether or not it came in absolute form. */
export function originForm(target: string): string {
  if (target.startsWith('/') || !absolute.test(target)) return target;
  const rest = target.replace(absolute, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** True for a loopback name with any port and for what the setting lists; a port there must be matched. */
export function hostAllowed(header: string | undefined, allowed: readonly string[]): boolean {
  const host = parseHost(header);
  if (host === null) return false;
  if (loopback.has(host.name)) return true;
  return allowed.some((entry) => {
    const other = parseHost(entry);
    return other !== null && other.name === host.name && (other.port === null || other.port === host.port);
  });
}

/** True when a page of this origin was served under this `Host`. An opaque origin (`null`) never was. */
export function sameOrigin(origin: string, host: string | undefined): boolean {
  const page = parseUrl(origin);
  if (page === null || host === undefined || !/^https?:$/.test(page.protocol)) return false;
  // The same scheme on both sides, so that its default port is left out on both.
  return parseUrl(`${page.protocol}//${host}`)?.host === page.host;
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
