import { id, list, record, text } from './json.ts';
import { hostOf } from './stores.ts';

export interface Member {
  readonly name: string;
  /** u64: a number only when it is small. */
  readonly memberId: number | string;
  readonly clientUrls: readonly string[];
  readonly version: string | null;
}

/** Body of `/pd/api/v1/members`. */
export interface Membership {
  readonly clusterId: number | string | null;
  readonly members: readonly Member[];
  /** Name of PD's leader; null while there is none, though etcd may have one. */
  readonly leader: string | null;
  readonly etcdLeader: string | null;
}

/** Null when the body is no membership. */
export function parseMembership(body: unknown): Membership | null {
  const fields = record(body);
  const members = list(fields?.members)?.map(parseMember);
  if (fields === null || members === undefined || members.includes(null)) return null;
  return {
    clusterId: id(record(fields.header)?.cluster_id),
    members: members as Member[],
    leader: text(record(fields.leader)?.name),
    etcdLeader: text(record(fields.etcd_leader)?.name),
  };
}

function parseMember(element: unknown): Member | null {
  const fields = record(element);
  const name = text(fields?.name);
  const memberId = id(fields?.member_id);
  if (fields === null || name === null || memberId === null) return null;
  return { name, memberId, clientUrls: urls(fields.client_urls), version: text(fields.binary_version) };
}

/** Body of `/pd/api/v1/health` as name → answers; null when it is none. A 200 here says nothing: the entries do. */
export function parseMemberHealth(body: unknown): ReadonlyMap<string, boolean> | null {
  const entries = list(body)?.map((element) => {
    const fields = record(element);
    const healthy = fields?.health;
    // A member that never published has an empty name: its URL still tells which node it is.
    const name = text(fields?.name) || urlHost(urls(fields?.client_urls)[0]);
    return name === null || typeof healthy !== 'boolean' ? null : ([name, healthy] as const);
  });
  return entries === undefined || entries.includes(null) ? null : new Map(entries as [string, boolean][]);
}

/** Body of `/health` (etcd's own, the quorum test). `health` is a string there. True, or the reason why not; null when it is none. */
export function parseQuorum(body: unknown): true | string | null {
  const fields = record(body);
  if (fields?.health === 'true') return true;
  return fields?.health === 'false' ? text(fields.reason) || 'no reason given' : null;
}

function urls(value: unknown): string[] {
  return (list(value) ?? []).filter((url) => typeof url === 'string');
}

function urlHost(url: string | undefined): string | null {
  return url === undefined ? null : hostOf(url.replace(/^\w+:\/\//, '').replace(/\/.*$/, ''));
}
