/**
 * What can be asked of the toolbox's agent, with the shapes of question and answer. docker/toolbox/PROTOCOL.md has the meaning of each; a step is
 * whatever the faults' vocabulary holds.
 */
export interface Calls {
  hello: { args: { owner: string; protocol: number }; result: { protocol: number; build: string; boot_id: string } };
  owners: { args: object; result: { owners: { owner: string; live: boolean }[] } };
  capabilities: { args: object; result: Capabilities };
  arm: { args: { fault: string; subject: string; fence: number; ttl_ms: number; undo: object[] }; result: object };
  renew: { args: { fault: string; fence: number; ttl_ms: number }; result: object };
  disarm: { args: { fault: string; fence: number }; result: { ended: Ended | null } };
  records: { args: object; result: { records: WatchdogRecord[] } };
  sweep: { args: object; result: { swept: { fault: string; owner: string | null; done: boolean; what: string[] }[] } };
  apply: { args: { fault: string; fence: number; step: object }; result: { mechanism: string } & Record<string, unknown> };
  undo: { args: { step: object }; result: object };
  audit: {
    args: { fault: string | null; container_ids: string[]; volumes: string[] };
    result: { residue: { container_id: string; what: string; name: string; in_force: boolean; volume?: string }[] };
  };
  snapshot: {
    args: { container_ids: string[] };
    result: {
      containers: Record<string, { netns: string; cgroup: Record<string, string> }>;
      host: { loop: string[]; helpers: string[]; files: string[] };
    };
  };
  'measure.trains': { args: TrainRequest; result: { pairs: Train[] } };
  'measure.flows': {
    args: { container_id: string; peers: string[] };
    result: { established: number; backoff: { local: string; remote: string; retransmits: number }[] };
  };
  'measure.counters': { args: { fault: string; container_id: string }; result: { packets: number | null } };
  'measure.cgroup': { args: { container_id: string; cpu_percent?: number }; result: Cgroup };
  'measure.cpu': { args: { container_id: string; for_ms: number }; result: CpuShare };
  'measure.frozen': { args: { container_id: string; for_ms: number }; result: { frozen: boolean; cpu_us: number } };
  'measure.disk': { args: { volume: string }; result: Disk };
  'volume.create': { args: { volume: string; bytes: number; uid: number; gid: number; mode: string }; result: { device: string } };
  'volume.remove': { args: { volume: string }; result: object };
  'volume.list': { args: object; result: { volumes: { volume: string; owner: string; device: string; bytes: number }[] } };
}

export type Op = keyof Calls;

/** What this kernel and engine can do; `reasons` says why not. */
export interface Capabilities {
  netem: boolean;
  tbf: boolean;
  nft_netdev: boolean;
  nfqueue: boolean;
  statistic: boolean;
  loop: boolean;
  pidfd: boolean;
  iptables: string | null;
  cgroup: 'v1' | 'v2';
  reasons: Record<string, string>;
}

/** How a fault ended without its service. */
export interface Ended {
  by: 'watchdog' | 'sweep';
  at: string;
  done: boolean;
  failures: string[];
}

export interface WatchdogRecord {
  fault: string;
  owner: string;
  subject: string;
  fence: number;
  remaining_ms: number;
  ended: Ended | null;
}

export interface TrainRequest {
  pairs: { name: string; from: string; to: string; address: string }[];
  count: number;
  interval_us: number;
  size: number;
  wait_ms: number;
}

/** One numbered UDP train; delays are one way, in microseconds. */
export interface Train {
  name: string;
  sent: number;
  received: number;
  refused: number;
  delay_us: { min: number; p50: number; p95: number; max: number } | null;
  delays_us: number[];
  rate_kbit: number | null;
  /** Why it could not be sent or received. */
  error?: string;
}

export interface Cgroup {
  version: 1 | 2;
  /** `ours` is what `cgroup.cpu` would write for the percentage asked about. */
  cpu: { file: string; value: string; quota_us: number | null; period_us: number; cpus: number; allowance_cpus: number; ours?: string };
  memory: { limit_bytes: number | null; usage_bytes: number; charged_bytes: number };
  frozen: boolean;
}

export interface CpuShare {
  wall_ms: number;
  cpu_ms: number;
  throttled: number;
  throttled_ms: number;
  host_idle_percent: number;
}

export interface Disk {
  total_bytes: number;
  used_bytes: number;
  available_bytes: number;
}
