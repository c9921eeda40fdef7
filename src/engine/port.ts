/**
 * The port to Docker: everything the service asks of an engine. Works from API 1.41 on.
 * Every method takes a signal (a cancelled call is not undone: observe again) and throws only EngineError
 * or the signal's reason. Only the implementation beside this file imports dockerode.
 */
export interface Engine {
  /** One round trip; throws `unreachable` when nobody answers. */
  ping(signal: AbortSignal): Promise<void>;
  info(signal: AbortSignal): Promise<EngineInfo>;

  /** Containers in any state that carry all of the labels (`key` or `key=value`). */
  listContainers(labels: string[], signal: AbortSignal): Promise<ContainerSummary[]>;
  /** Null when there is none. `ref` is an id or a name. */
  inspectContainer(ref: string, signal: AbortSignal): Promise<ContainerDetail | null>;
  /** Answers the id. The body is the Engine API's own `ContainerCreate`; it is not edited. */
  createContainer(name: string, body: ContainerCreate, signal: AbortSignal): Promise<string>;
  /** Success when it runs already. */
  startContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Success when it is stopped already. */
  stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>;
  /** Stops it if it runs, then starts it. */
  restartContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>;
  /** Throws `conflict` when it is not running. */
  killContainer(id: string, signalName: string, signal: AbortSignal): Promise<void>;
  /** Throws `conflict` when it is paused already or not running. First waits for this engine object's commands that are on their way into it. */
  pauseContainer(id: string, signal: AbortSignal): Promise<void>;
  unpauseContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Kills, removes it and its anonymous volumes. Success when it is gone; waits out "removal in progress". */
  removeContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Copies files into a container that need not run. Parent folders must exist or are made. */
  putFiles(id: string, files: FileInContainer[], signal: AbortSignal): Promise<void>;
  /** The last lines of both streams, oldest first, at most 64 KiB. */
  logTail(id: string, lines: number, signal: AbortSignal): Promise<string[]>;
  /**
   * Runs a command in a running container and waits for its end. Each output is cut at `maxBytes` (default 256 KiB).
   * Throws the signal's reason on abort: then the command may still run.
   */
  exec(id: string, argv: string[], signal: AbortSignal, options?: ExecOptions): Promise<ExecResult>;
  /** Starts a command and answers with both of its ends open. The signal bounds the opening only; `close` ends the session. */
  openSession(id: string, argv: string[], signal: AbortSignal): Promise<EngineSession>;

  listNetworks(signal: AbortSignal): Promise<NetworkSummary[]>;
  /** With its containers. Null when there is none. */
  inspectNetwork(ref: string, signal: AbortSignal): Promise<NetworkDetail | null>;
  createNetwork(body: NetworkCreate, signal: AbortSignal): Promise<string>;
  /** Success when it is gone. */
  removeNetwork(id: string, signal: AbortSignal): Promise<void>;
  connectNetwork(id: string, container: string, endpoint: EndpointConfig, signal: AbortSignal): Promise<void>;
  /** Success when it is not connected. */
  disconnectNetwork(id: string, container: string, force: boolean, signal: AbortSignal): Promise<void>;

  listVolumes(labels: string[], signal: AbortSignal): Promise<VolumeSummary[]>;
  createVolume(body: VolumeCreate, signal: AbortSignal): Promise<void>;
  /** Success when it is gone. */
  removeVolume(name: string, signal: AbortSignal): Promise<void>;

  /** Null when it is not on the engine. */
  inspectImage(ref: string, signal: AbortSignal): Promise<ImageDetail | null>;
  /** Pulls and waits. Throws on an error line inside the progress stream too. */
  pullImage(ref: string, onProgress: (line: string) => void, signal: AbortSignal): Promise<void>;

  /**
   * Container and network events from `sinceSeconds` (engine clock, fractional) or from now, until the signal aborts
   * (then it ends) or the engine goes away (then it throws `unreachable`). `onOpen` is called once the stream is subscribed.
   * `labels` choose among containers; network events carry no labels and all come. From a time on, the event of that very time may come again;
   * the engine keeps the last 256 events of all.
   */
  events(filter: { labels?: string[]; sinceSeconds?: number; onOpen?: () => void }, signal: AbortSignal): AsyncIterable<EngineEvent>;
}

export type EngineErrorReason = 'unreachable' | 'not_found' | 'conflict' | 'port_taken' | 'name_taken' | 'refused';

/** The one error of this module. `status` is the engine's HTTP status, null when none came. */
export class EngineError extends Error {
  readonly reason: EngineErrorReason;
  readonly status: number | null;
  /** Method of Engine, and what it was asked about. */
  readonly op: string;
  readonly target: string;

  constructor(
    reason: EngineErrorReason,
    message: string,
    at: { status: number | null; op: string; target: string },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EngineError';
    this.reason = reason;
    this.status = at.status;
    this.op = at.op;
    this.target = at.target;
  }
}

export interface EngineInfo {
  id: string;
  version: string;
  apiVersion: string;
  /** `1` or `2`. */
  cgroupVersion: string;
  kernel: string;
  operatingSystem: string;
  /** Of the engine's host. */
  cpus: number;
  memoryBytes: number;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerSummary {
  id: string;
  name: string;
  image: string;
  imageId: string;
  state: ContainerState;
  labels: Record<string, string>;
  /** Network name → id, as far as the listing has it. */
  networks: Record<string, string>;
}

export interface ContainerDetail {
  id: string;
  name: string;
  imageId: string;
  labels: Record<string, string>;
  state: ContainerState;
  pid: number;
  exitCode: number;
  oomKilled: boolean;
  /** The engine's message when it could not start. */
  error: string;
  restartCount: number;
  /** Milliseconds since the epoch, null when it never happened. */
  startedAt: number | null;
  finishedAt: number | null;
  /** Null: no health check. */
  health: { status: 'starting' | 'healthy' | 'unhealthy'; failingStreak: number; lastOutput: string | null } | null;
  /** The check the engine runs, the image's included; null: none. Times in ms. */
  healthCheck: { test: string[]; timeoutMs: number; intervalMs: number } | null;
  networkMode: string;
  networks: { name: string; id: string; ipv4: string | null; ipv6: string | null; gateway: string | null }[];
  ports: { containerPort: number; protocol: string; hostIp: string; hostPort: number }[];
  mounts: { type: string; name: string | null; source: string; destination: string }[];
}

export interface FileInContainer {
  /** Absolute path in the container. */
  path: string;
  content: Buffer;
  mode: number;
  uid: number;
  gid: number;
}

export interface ExecOptions {
  user?: string;
  env?: Record<string, string>;
  maxBytes?: number;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** A command that runs, joined to this process. It sees the end of its input when this process closes the session, or dies. */
export interface EngineSession {
  /** Its standard output, until it ends or the connection is lost. */
  readonly output: AsyncIterable<Buffer>;
  write(text: string): void;
  close(): void;
}

export interface NetworkSummary {
  id: string;
  name: string;
  driver: string;
  labels: Record<string, string>;
  subnets: string[];
}

export interface NetworkDetail extends NetworkSummary {
  internal: boolean;
  enableIpv6: boolean;
  options: Record<string, string>;
  /** One for each of `subnets`, null where the engine tells none. */
  gateways: (string | null)[];
  containers: { id: string; name: string; ipv4: string | null }[];
}

export interface VolumeSummary {
  name: string;
  labels: Record<string, string>;
}

export interface ImageDetail {
  id: string;
  tags: string[];
  /** Paths the image declares as VOLUME. */
  volumes: string[];
  labels: Record<string, string>;
}

export interface EngineEvent {
  /** Engine clock, seconds with a fraction. */
  atSeconds: number;
  type: 'container' | 'network';
  /** `start`, `die`, `kill`, `pause`, `health_status: healthy`, … */
  action: string;
  id: string;
  attributes: Record<string, string>;
}

/** The parts of the Engine API's bodies that the service uses, in the API's own words. */
export interface ContainerCreate {
  Image: string;
  Cmd?: string[];
  Entrypoint?: string[];
  Env?: string[];
  Labels: Record<string, string>;
  User?: string;
  WorkingDir?: string;
  Hostname?: string;
  StopSignal?: string;
  StopTimeout?: number;
  Tty?: boolean;
  OpenStdin?: boolean;
  ExposedPorts?: Record<string, object>;
  /** Times in nanoseconds. */
  Healthcheck?: { Test: string[]; Interval?: number; Timeout?: number; Retries?: number; StartPeriod?: number; StartInterval?: number };
  HostConfig: HostConfig;
  NetworkingConfig?: { EndpointsConfig: Record<string, EndpointConfig> };
}

export interface HostConfig {
  NetworkMode?: string;
  PortBindings?: Record<string, { HostIp: string; HostPort: string }[]>;
  Mounts?: {
    Type: 'volume' | 'bind' | 'tmpfs';
    Source?: string;
    Target: string;
    ReadOnly?: boolean;
    VolumeOptions?: { NoCopy?: boolean; Labels?: Record<string, string> };
    BindOptions?: { Propagation?: string };
    TmpfsOptions?: { SizeBytes?: number; Mode?: number };
  }[];
  RestartPolicy?: { Name: string; MaximumRetryCount: number };
  LogConfig?: { Type: string; Config: Record<string, string> };
  Init?: boolean;
  ReadonlyRootfs?: boolean;
  Privileged?: boolean;
  PidMode?: string;
  AutoRemove?: boolean;
  CgroupnsMode?: string;
  DeviceCgroupRules?: string[];
  CapAdd?: string[];
  CapDrop?: string[];
  SecurityOpt?: string[];
  Sysctls?: Record<string, string>;
  Ulimits?: { Name: string; Soft: number; Hard: number }[];
  ExtraHosts?: string[];
  Dns?: string[];
  ShmSize?: number;
  Memory?: number;
  NanoCpus?: number;
  PidsLimit?: number;
  OomScoreAdj?: number;
}

export interface EndpointConfig {
  Aliases?: string[];
  IPAMConfig?: { IPv4Address?: string; IPv6Address?: string };
}

export interface NetworkCreate {
  Name: string;
  Driver?: string;
  Internal?: boolean;
  EnableIPv6?: boolean;
  Options?: Record<string, string>;
  Labels: Record<string, string>;
  IPAM?: { Config: { Subnet: string; Gateway?: string }[] };
}

export interface VolumeCreate {
  Name: string;
  Driver?: string;
  DriverOpts?: Record<string, string>;
  Labels: Record<string, string>;
}
