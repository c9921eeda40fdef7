import type { Adapter } from '../../../src/kind/adapter.ts';
import { adapter as tikv } from '../../../subjects/tikv/adapter.ts';

/** The tikv kind's own rules on this folder's compose file. */
export const adapter: Adapter = {
  ...tikv,
  kind: 'sixnode',
  summary: 'Three PD and three TiKV with health checks and conditions, for the benchmark',
};
