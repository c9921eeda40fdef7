/** A compose file after interpolation, normalisation and validation: what reset works on. Plain data, no Docker words. */
export interface Project {
  /** Project name; container, network and volume names start with it. */
  name: string;
  /** Absolute path of the compose file, and of the folder relative paths start from. */
  file: string;
  workingDir: string;
  /** Only services whose profile is active, in the file's order. */
  services: Service[];
  networks: Network[];
  volumes: Volume[];
  /** SHA-256 (hex) over the canonical resolved project, the contents of configs and secrets included. */
  hash: string;
}

/** Where something stands in a file; line and column count from 1. */
export interface Position {
  file: string;
  line: number;
  column: number;
}

export type DependencyCondition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

export interface Dependency {
  service: string;
  condition: DependencyCondition;
  /** False: a missing service is not an error. */
  required: boolean;
}

export interface HealthCheck {
  /** As the engine takes it: `['CMD', …]` or `['CMD-SHELL', text]`. */
  test: string[];
  intervalMs: number;
  timeoutMs: number;
  retries: number;
  startPeriodMs: number;
  startIntervalMs: number | null;
}

export interface PortMapping {
  containerPort: number;
  protocol: 'tcp' | 'udp';
  /** Address on the engine's host; `0.0.0.0` unless the file says otherwise. */
  hostIp: string;
  /** Null: the engine picks one. */
  hostPort: number | null;
}

export type Mount =
  | {
      type: 'volume' /** Key in Project.volumes; null is an anonymous volume. */;
      volume: string | null;
      target: string;
      readOnly: boolean;
      noCopy: boolean;
    }
  | { type: 'bind' /** Absolute. */; source: string; target: string; readOnly: boolean }
  | { type: 'tmpfs'; target: string; sizeBytes: number | null; mode: number | null };

/** A config or secret: a file copied into the created container. */
export interface FileMount {
  name: string;
  target: string;
  content: Buffer;
  uid: number;
  gid: number;
  mode: number;
}

export interface Attachment {
  /** Key in Project.networks. */
  network: string;
  aliases: string[];
  ipv4: string | null;
  ipv6: string | null;
}

export interface Service {
  name: string;
  /** `container_name`, or `<project>-<service>-1`. */
  containerName: string;
  image: string;
  platform: string | null;
  /** Null: the image's own. */
  command: string[] | null;
  entrypoint: string[] | null;
  environment: Record<string, string>;
  labels: Record<string, string>;
  user: string | null;
  workingDir: string | null;
  hostname: string | null;
  stopSignal: string | null;
  stopGraceMs: number | null;
  init: boolean | null;
  tty: boolean;
  stdinOpen: boolean;
  readOnly: boolean;
  capAdd: string[];
  capDrop: string[];
  securityOpt: string[];
  sysctls: Record<string, string>;
  ulimits: { name: string; soft: number; hard: number }[];
  extraHosts: string[];
  dns: string[];
  shmSizeBytes: number | null;
  memoryBytes: number | null;
  cpus: number | null;
  pidsLimit: number | null;
  oomScoreAdj: number | null;
  /** `never`: the image is taken from the engine or not at all. */
  pullPolicy: 'missing' | 'never';
  /** Null: the engine's own log driver. */
  logging: { driver: 'json-file' | 'local'; options: Record<string, string> } | null;
  restart: { policy: 'no' | 'always' | 'unless-stopped' | 'on-failure'; maxRetries: number };
  ports: PortMapping[];
  expose: number[];
  mounts: Mount[];
  configs: FileMount[];
  secrets: FileMount[];
  networks: Attachment[];
  /** Set instead of `networks`: `none`, `host`, or another service whose namespace is shared. */
  networkMode: { mode: 'none' } | { mode: 'host' } | { mode: 'service'; service: string } | null;
  dependsOn: Dependency[];
  /** Null: none in the file (the image may have one). `disabled`: the file turns the image's off. */
  healthCheck: HealthCheck | 'disabled' | null;
  at: Position;
}

export interface Network {
  key: string;
  /** Name on the engine. */
  name: string;
  external: boolean;
  driver: string | null;
  driverOpts: Record<string, string>;
  internal: boolean;
  enableIpv6: boolean;
  /** Subnets the file asks for; empty: the planner chooses. */
  subnets: { subnet: string; gateway: string | null }[];
  labels: Record<string, string>;
}

export interface Volume {
  key: string;
  name: string;
  driver: string | null;
  driverOpts: Record<string, string>;
  labels: Record<string, string>;
  /** A filesystem of its own of this size, where the engine's host can make one. Null: on the host's. */
  bounded: Bounded | null;
}

/** Size in bytes, and owner and mode of the root folder. */
export interface Bounded {
  bytes: number;
  uid: number;
  gid: number;
  mode: number;
}
