import { ignored, type KeyTable, limited, mayBeEmpty, refused, yes } from './rule.ts';

export const topKeys: KeyTable = {
  version: ignored('has had no meaning since Compose v2'),
  name: ignored('the project name comes from the subject'),
  services: yes('at least one must be active'),
  networks: mayBeEmpty(yes()),
  volumes: mayBeEmpty(yes()),
  configs: mayBeEmpty(yes()),
  secrets: mayBeEmpty(yes()),
  include: refused('copy the services of the other file into this one'),
};

export const networkKeys: KeyTable = {
  name: yes('default PROJECT_KEY'),
  driver: limited('bridge'),
  driver_opts: yes(),
  ipam: yes(),
  external: limited('false only; let this file declare the network, so that a reset can make it anew'),
  internal: yes(),
  enable_ipv4: limited('true only; every node has an IPv4 address'),
  enable_ipv6: yes(),
  attachable: ignored('only has a meaning in a swarm'),
  labels: yes(),
};

export const ipamKeys: KeyTable = {
  driver: limited('default'),
  config: yes(),
  options: refused('remove it'),
};

export const ipamConfigKeys: KeyTable = {
  subnet: yes('required'),
  gateway: yes(),
  ip_range: refused('pin addresses with ipv4_address: at the service'),
  aux_addresses: refused('pin addresses with ipv4_address: at the service'),
};

export const volumeKeys: KeyTable = {
  name: yes('default PROJECT_KEY'),
  driver: limited('local'),
  driver_opts: limited('type: tmpfs only, with device: and o:; whatever else they name would outlive a reset'),
  external: limited('false only; let this file declare the volume, because a reset must be able to remove it'),
  labels: yes(),
  'x-subjectd': limited('this service’s own, Compose skips it: makes the volume one of limited size'),
};

export const boundedKeys: KeyTable = {
  size: yes('required; at least 16m'),
  uid: yes('owner of the empty volume; default 0'),
  gid: yes('default 0'),
  mode: yes('a number, such as 0700; default 0755'),
};

export const configKeys: KeyTable = {
  file: yes('relative to the compose file'),
  content: yes('variables are replaced'),
  environment: yes('the name of a variable, which must be set'),
  name: ignored('the content is copied; there is no object on the engine'),
  labels: ignored('the content is copied; there is no object on the engine'),
  external: limited('false only; name a file: instead'),
  template_driver: refused('write the content out'),
};

export const secretKeys: KeyTable = {
  file: yes('relative to the compose file'),
  environment: yes('the name of a variable, which must be set'),
  content: refused('use environment: or file:, as Compose asks for'),
  name: ignored('the content is copied; there is no object on the engine'),
  labels: ignored('the content is copied; there is no object on the engine'),
  external: limited('false only; name a file: instead'),
  driver: refused('use environment: or file:'),
  driver_opts: refused('use environment: or file:'),
  template_driver: refused('write the content out'),
};
