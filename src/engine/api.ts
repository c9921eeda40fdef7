/**
 * The Engine API's answers as far as they are read, from API 1.41 to the newest: whatever one version leaves out or gives
 * as null is optional here.
 */
export interface ApiContainerListed {
  Id: string;
  Names?: string[] | null;
  Image: string;
  ImageID: string;
  State: string;
  Labels?: Record<string, string> | null;
  NetworkSettings?: { Networks?: Record<string, ApiEndpoint | null> | null } | null;
}

export interface ApiEndpoint {
  NetworkID?: string;
  IPAddress?: string;
  GlobalIPv6Address?: string;
  Gateway?: string;
}

export interface ApiContainer {
  Id: string;
  Name: string;
  Image: string;
  RestartCount?: number;
  State: {
    Status: string;
    Running: boolean;
    Pid?: number;
    ExitCode?: number;
    OOMKilled?: boolean;
    Error?: string;
    StartedAt?: string;
    FinishedAt?: string;
    Health?: { Status: string; FailingStreak?: number; Log?: { Output?: string }[] | null } | null;
  };
  Config: { Tty?: boolean; Labels?: Record<string, string> | null; Healthcheck?: ApiHealthcheck | null };
  HostConfig: { NetworkMode?: string };
  NetworkSettings: {
    Networks?: Record<string, ApiEndpoint | null> | null;
    Ports?: Record<string, { HostIp: string; HostPort: string }[] | null> | null;
  };
  Mounts?: { Type: string; Name?: string; Source?: string; Destination: string }[] | null;
}

/** Times in nanoseconds. */
export interface ApiHealthcheck {
  Test?: string[] | null;
  Interval?: number;
  Timeout?: number;
}

export interface ApiNetwork {
  Id: string;
  Name: string;
  Driver: string;
  Internal?: boolean;
  EnableIPv6?: boolean;
  Options?: Record<string, string> | null;
  Labels?: Record<string, string> | null;
  IPAM?: { Config?: { Subnet?: string; Gateway?: string }[] | null } | null;
  Containers?: Record<string, { Name: string; IPv4Address?: string }> | null;
}

export interface ApiVolume {
  Name: string;
  Labels?: Record<string, string> | null;
}

export interface ApiImage {
  Id: string;
  RepoTags?: string[] | null;
  Config?: { Volumes?: Record<string, unknown> | null; Labels?: Record<string, string> | null } | null;
}

export interface ApiInfo {
  ID: string;
  ServerVersion: string;
  CgroupVersion?: string;
  KernelVersion: string;
  OperatingSystem: string;
  NCPU: number;
  /** Bytes. */
  MemTotal: number;
  /** RFC 3339 with nanoseconds. */
  SystemTime?: string;
}

export interface ApiEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes?: Record<string, string> | null };
  timeNano: number;
}
