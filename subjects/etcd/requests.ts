import type { HttpOptions } from '../../src/kind/adapter.ts';

/** Port of each member's client API: gRPC, its JSON gateway under `/v3`, and `/health`. */
export const clientPort = 2379;

export interface Request {
  path: string;
  options: HttpOptions;
}

// From "\0" to "\0" is every key (etcd's RangeRequest). Both in base64.
const everyKey = { key: 'AA==', range_end: 'AA==', count_only: true };

/**
 * What a member is asked. Each answers from the member's own data except `quorum` and `count`, which are linearizable: they need a leader and
 * a majority, and take up to 6 s to fail without. Alarms are read from `status`, because asking for them is a write to the raft log in 3.5.
 */
export const requests = {
  status: post('/v3/maintenance/status', {}),
  members: post('/v3/cluster/member/list', {}),
  localCount: post('/v3/kv/range', { ...everyKey, serializable: true }),
  count: post('/v3/kv/range', everyKey),
  quorum: { path: '/health', options: { method: 'GET' } },
} as const satisfies Record<string, Request>;

function post(path: string, body: object): Request {
  return { path, options: { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } };
}
