import { type Capture, summaryOf } from '../../src/captures/capture.ts';
import type { Comparison } from '../../src/captures/comparison.ts';

// Each with every field there is, and with free fields where there may be any.
const at = '2026-01-01T00:00:00.000Z';

export const capture: Capture = {
  id: 'cap_1',
  subject: 'etcd',
  kind: 'etcd',
  generation: 4,
  captured_at: at,
  label: 'before',
  faults: [{ id: 'flt_1', chaos_type: 'node_kill', state: 'active', targets: ['etcd0'], params: { signal: 'SIGKILL' } }],
  complete: false,
  missing: ['members.etcd0'],
  fingerprint: {
    digest: 'abc',
    system: {
      kind: 'etcd',
      services: { etcd0: { image_id: 'sha256:1', definition: 'def' }, etcd1: { image_id: 'sha256:1', definition: null }, etcd2: null },
    },
    host: {
      subjectd_version: '1.0.0',
      engine_id: 'e',
      engine_version: '20.10.24',
      api_version: '1.41',
      operating_system: 'Debian',
      kernel: '6.1',
      cgroup_version: '1',
      cpus: 2,
      memory_bytes: 1e10,
    },
  },
  nodes: [
    { name: 'etcd0', type: 'etcd', state: 'exited', started_at: at, exit_code: 137, oom_killed: false, restart_count: 1 },
    { name: 'etcd1', type: 'etcd', state: 'absent', started_at: null, exit_code: null, oom_killed: false, restart_count: 0 },
  ],
  state: { revision: 7, deep: { deeper: [{}] } },
};
export const comparison: Comparison = {
  a: summaryOf(capture),
  b: { ...summaryOf(capture), label: null },
  comparable: false,
  equal: false,
  fingerprint: [{ path: 'system.services.etcd2', change: 'type_changed', before: null, after: { any: 'thing' }, delta: null }],
  changes: [{ path: 'state.revision', change: 'changed', before: 7, after: 9, delta: 2 }],
  masked: [{ path: 'state.size', change: 'removed', before: [1], after: null, delta: null }],
  unknown: ['state.members.etcd0'],
};
