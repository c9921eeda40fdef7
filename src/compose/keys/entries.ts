import { ignored, type KeyTable, limited, refused, yes } from './rule.ts';

export const healthcheckKeys: KeyTable = {
  test: yes('a text, or a list that starts with CMD, CMD-SHELL or NONE; required unless disable: is true'),
  interval: yes('default 30s'),
  timeout: yes('default 30s'),
  retries: yes('default 3'),
  start_period: yes('default 0s'),
  start_interval: yes(),
  disable: yes(),
};

export const dependencyKeys: KeyTable = {
  condition: yes('service_started, service_healthy or service_completed_successfully; required'),
  required: yes('false: left out while the other service has no active profile'),
  restart: ignored('only concerns `docker compose restart`'),
};

export const portKeys: KeyTable = {
  target: yes('required'),
  published: yes('without it the engine picks one'),
  host_ip: yes('default 0.0.0.0'),
  protocol: limited('tcp or udp'),
  mode: ignored('only has a meaning in a swarm'),
  name: ignored('only informs the reader'),
  app_protocol: ignored('only informs the reader'),
};

export const mountKeys: KeyTable = {
  type: limited('volume, bind or tmpfs; required'),
  source: yes('a key of volumes:, or the path of a bind'),
  target: yes('an absolute path; required'),
  read_only: yes('required for a bind'),
  consistency: ignored('only has a meaning on Docker Desktop'),
  bind: yes(),
  volume: yes(),
  tmpfs: yes(),
};

export const mountBindKeys: KeyTable = {
  create_host_path: ignored('a missing source is always an error'),
  propagation: refused('remove it; mounts made later on the host stay out of a node'),
  recursive: refused('remove it'),
  selinux: refused('give the source its label on the host'),
};

export const mountVolumeKeys: KeyTable = {
  nocopy: yes(),
  subpath: refused('use a volume of its own'),
};

export const mountTmpfsKeys: KeyTable = {
  size: yes(),
  mode: yes('a number, such as 01777'),
};

export const attachmentKeys: KeyTable = {
  aliases: yes('the service name always is one'),
  ipv4_address: yes('inside a subnet of the network'),
  ipv6_address: yes('inside a subnet of the network'),
  priority: yes('the highest comes first, then by name'),
  link_local_ips: refused('use ipv4_address: or ipv6_address:'),
  mac_address: refused('remove it; the engine chooses one'),
  driver_opts: refused('remove it'),
  gw_priority: refused('use priority:'),
};

export const fileMountKeys: KeyTable = {
  source: yes('required'),
  target: yes('default /NAME for configs, /run/secrets/NAME for secrets'),
  uid: yes('default 0'),
  gid: yes('default 0'),
  mode: yes('a number, such as 0440; default 0444, or 0555 for an executable file'),
};

export const ulimitKeys: KeyTable = {
  soft: yes('required'),
  hard: yes('required'),
};

export const envFileKeys: KeyTable = {
  path: yes('required'),
  required: yes('false: the file may be missing'),
  format: refused('remove it; the file is read as Compose does by default'),
};

export const loggingKeys: KeyTable = {
  driver: limited('json-file or local'),
  options: yes(),
};
