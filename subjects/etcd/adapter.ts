import type { Adapter, Node, Toolkit } from '../../src/kind/adapter.ts';
import { judge } from './health.ts';
import { type HttpReader, type Reply, readCount, readMembers, readQuorum, readStatus } from './replies.ts';
import { clientPort, type Request, requests } from './requests.ts';
import { roleNames, rolesIn } from './roles.ts';
import { describe } from './state.ts';

/** Three real etcd members. All are asked at once, each within 2 s, over the JSON gateway of the client port. */
export const adapter: Adapter = {
  kind: 'etcd',
  summary: 'etcd 3.5: three members of one Raft group, on data volumes of their own',
  nodeTypes: { etcd0: 'etcd', etcd1: 'etcd', etcd2: 'etcd' },
  defaultTarget: { type: 'etcd' },
  imageVariables: ['ETCD_IMAGE'],
  roleNames,
  // Members that try again to join a cluster leave more entries behind; the data is as the revision and the counts say.
  volatile: [
    'db_size_bytes',
    'members.*.status.raft_index',
    'members.*.status.raft_applied_index',
    'members.*.status.db_size_bytes',
    'members.*.status.db_size_in_use_bytes',
  ],

  async health(toolkit, signal) {
    const views = toolkit.nodes.map(async (node) => {
      const [status, members, quorum] = await Promise.all([
        ask(toolkit, node, requests.status, readStatus, signal),
        ask(toolkit, node, requests.members, readMembers, signal),
        ask(toolkit, node, requests.quorum, readQuorum, signal),
      ]);
      return { node, status, members, quorum };
    });
    return judge(await Promise.all(views));
  },

  async state(toolkit, signal) {
    const views = toolkit.nodes.map(async (node) => {
      const [status, members, localCount] = await Promise.all([
        ask(toolkit, node, requests.status, readStatus, signal),
        ask(toolkit, node, requests.members, readMembers, signal),
        ask(toolkit, node, requests.localCount, readCount, signal),
      ]);
      // Without a leader the answer is known, and would take 6 s to come.
      const led = status.ok && status.value.leaderId !== null;
      return { node, status, members, localCount, count: led ? await ask(toolkit, node, requests.count, readCount, signal) : null };
    });
    return describe(await Promise.all(views));
  },

  async roles(toolkit, signal) {
    const views = toolkit.nodes.map(async (node) => ({ node, status: await ask(toolkit, node, requests.status, readStatus, signal) }));
    return rolesIn(await Promise.all(views));
  },
};

async function ask<T>(toolkit: Toolkit, node: Node, request: Request, read: HttpReader<T>, signal: AbortSignal): Promise<Reply<T>> {
  return read(await toolkit.http(node, clientPort, request.path, { ...request.options, timeoutMs: 2000 }, signal));
}
