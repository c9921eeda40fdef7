import type { Adapter } from '../../src/kind/adapter.ts';
import { judge } from './health.ts';
import { roleNames, rolesOf } from './roles.ts';
import { capture } from './state.ts';
import { observe } from './view.ts';

/** Three PD and three TiKV. PD is asked through every member; see README.md for the rules. */
export const adapter: Adapter = {
  kind: 'tikv',
  summary: 'A TiKV cluster: three placement drivers (PD) and three stores',
  nodeTypes: { pd0: 'pd', pd1: 'pd', pd2: 'pd', tikv0: 'tikv', tikv1: 'tikv', tikv2: 'tikv' },
  defaultTarget: { type: 'tikv' },
  imageVariables: ['PD_IMAGE', 'TIKV_IMAGE', 'PROMETHEUS_IMAGE'],
  roleNames,
  // PD balances leaders and regions by itself.
  volatile: [
    'stores.*.last_heartbeat_ts',
    'stores.*.heartbeat_age_ms',
    'stores.*.leader_count',
    'stores.*.region_count',
    'stores.*.pending_peer_count',
    'stores.*.capacity',
    'stores.*.available',
    'stores.*.used_size',
    'regions.leaders',
  ],
  perGeneration: ['cluster_id', 'stores.*.id', 'stores.*.start_ts', 'containers.*.started_at'],
  health: async (toolkit, signal) => judge(toolkit.nodes, await observe(toolkit, { checks: false }, signal), toolkit.clock.now()),
  state: async (toolkit, signal) => capture(toolkit.nodes, await observe(toolkit, { checks: true }, signal), toolkit.clock.now()),
  roles: async (toolkit, signal) => rolesOf(toolkit.nodes, await observe(toolkit, { checks: false }, signal)),
};
