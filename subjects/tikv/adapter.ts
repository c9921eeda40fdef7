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
  // PD gives out its ids anew after each reset, and the leaders of regions by them.
  volatile: [
    'cluster_id',
    'stores.*.id',
    'stores.*.last_heartbeat_ts',
    'stores.*.heartbeat_age_ms',
    'stores.*.capacity',
    'stores.*.available',
    'stores.*.used_size',
    'stores.*.start_ts',
    'regions.leaders',
    'containers.*.started_at',
  ],
  health: async (toolkit, signal) => judge(toolkit.nodes, await observe(toolkit, { checks: false }, signal), toolkit.clock.now()),
  state: async (toolkit, signal) => capture(toolkit.nodes, await observe(toolkit, { checks: true }, signal), toolkit.clock.now()),
  roles: async (toolkit, signal) => rolesOf(toolkit.nodes, await observe(toolkit, { checks: false }, signal)),
};
