/**
 * A file with one entry under each heading, and for each key a value that changes the result, or that stands in the base file already.
 * `{}` in the base marks where the key goes.
 */
interface Sample {
  base: (entry: string) => string;
  keys: Record<string, string>;
}

const inService = (keys: string) => `services: {a: {image: x, ${keys}}, b: {image: x}}
networks: {n: {ipam: {config: [{subnet: 10.9.0.0/24}, {subnet: "2001:db8::/64"}]}}}
volumes: {v: }
configs: {c: {content: text}}
secrets: {s: {environment: SET}}
`;
const withNetwork = (keys: string) => `services: {a: {image: x, networks: [n]}}\nnetworks: {n: {${keys}}}`;
const withVolume = (keys: string) => `services: {a: {image: x, volumes: ["v:/v"]}}\nvolumes: {v: {${keys}}}`;
const withConfig = (keys: string) => `services: {a: {image: x, configs: [c]}}\nconfigs: {c: {${keys}}}`;
const withSecret = (keys: string) => `services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {${keys}}}`;

export const samples: Record<string, Sample> = {
  'Top level': {
    base: (entry) => `services: {a: {image: x, networks: [default]}}\n${entry}`,
    keys: {
      version: 'version: "3"',
      name: 'name: other',
      services: 'x-none: 0',
      networks: 'networks: {default: {internal: true}}',
      volumes: 'volumes: {v: {name: vv}}',
      configs: 'configs: {c: {content: c}}',
      secrets: 'secrets: {s: {environment: SET}}',
    },
  },
  'services.NAME': {
    base: inService,
    keys: {
      attach: 'attach: false',
      cap_add: 'cap_add: [A]',
      cap_drop: 'cap_drop: [A]',
      command: 'command: c',
      configs: 'configs: [c]',
      container_name: 'container_name: cc',
      cpus: 'cpus: 1',
      depends_on: 'depends_on: [b]',
      dns: 'dns: 1.1.1.1',
      entrypoint: 'entrypoint: e',
      env_file: 'env_file: e.env',
      environment: 'environment: {A: 1}',
      expose: 'expose: [1]',
      extra_hosts: 'extra_hosts: ["a=1.1.1.1"]',
      healthcheck: 'healthcheck: {test: t}',
      hostname: 'hostname: h',
      image: 'x-none: 0',
      init: 'init: true',
      labels: 'labels: {l: 1}',
      logging: 'logging: {driver: local}',
      mem_limit: 'mem_limit: 64m',
      network_mode: 'network_mode: none',
      networks: 'networks: [n]',
      oom_score_adj: 'oom_score_adj: 1',
      pids_limit: 'pids_limit: 1',
      platform: 'platform: linux/arm64',
      ports: 'ports: [80]',
      privileged: 'privileged: false',
      profiles: 'profiles: [p]',
      pull_policy: 'pull_policy: never',
      read_only: 'read_only: true',
      restart: 'restart: always',
      scale: 'scale: 1',
      secrets: 'secrets: [s]',
      security_opt: 'security_opt: [o]',
      shm_size: 'shm_size: 1m',
      stdin_open: 'stdin_open: true',
      stop_grace_period: 'stop_grace_period: 3s',
      stop_signal: 'stop_signal: SIGINT',
      sysctls: 'sysctls: {a: 1}',
      tmpfs: 'tmpfs: /t',
      tty: 'tty: true',
      ulimits: 'ulimits: {nofile: 9}',
      user: 'user: u',
      volumes: 'volumes: ["v:/v"]',
      working_dir: 'working_dir: /w',
    },
  },
  'services.NAME.healthcheck': {
    base: (entry) => inService(`healthcheck: {test: [CMD, base], ${entry}}`),
    keys: {
      test: '',
      interval: 'interval: 3s',
      timeout: 'timeout: 3s',
      retries: 'retries: 9',
      start_period: 'start_period: 3s',
      start_interval: 'start_interval: 3s',
      disable: 'disable: true',
    },
  },
  'services.NAME.depends_on.NAME': {
    base: (entry) => inService(`depends_on: {b: {condition: service_healthy, ${entry}}}`),
    keys: { condition: '', required: 'required: false', restart: 'restart: true' },
  },
  'services.NAME.ports[]': {
    base: (entry) => inService(`ports: [{target: 80, ${entry}}]`),
    keys: {
      target: '',
      published: 'published: 80',
      host_ip: 'host_ip: 127.0.0.1',
      protocol: 'protocol: udp',
      mode: 'mode: host',
      name: 'name: n',
      app_protocol: 'app_protocol: http',
    },
  },
  'services.NAME.volumes[]': {
    base: (entry) => inService(`volumes: [{type: volume, target: /v, ${entry}}]`),
    keys: {
      type: '',
      target: '',
      source: 'source: v',
      read_only: 'read_only: true',
      consistency: 'consistency: cached',
      volume: 'volume: {nocopy: true}',
      bind: '',
      tmpfs: '',
    },
  },
  'services.NAME.volumes[].bind': {
    base: (entry) => inService(`volumes: [{type: bind, source: ./there, target: /v, read_only: true, bind: {${entry}}}]`),
    keys: { create_host_path: 'create_host_path: true' },
  },
  'services.NAME.volumes[].volume': {
    base: (entry) => inService(`volumes: [{type: volume, target: /v, volume: {${entry}}}]`),
    keys: { nocopy: 'nocopy: true' },
  },
  'services.NAME.volumes[].tmpfs': {
    base: (entry) => inService(`volumes: [{type: tmpfs, target: /v, tmpfs: {${entry}}}]`),
    keys: { size: 'size: 1m', mode: 'mode: 0700' },
  },
  'services.NAME.networks.NAME': {
    base: (entry) => inService(`networks: {default: , n: {${entry}}}`),
    keys: {
      aliases: 'aliases: [z]',
      ipv4_address: 'ipv4_address: 10.9.0.9',
      ipv6_address: 'ipv6_address: "2001:db8::9"',
      priority: 'priority: 5',
    },
  },
  'services.NAME.configs[], services.NAME.secrets[]': {
    base: (entry) => inService(`configs: [{source: c, ${entry}}]`),
    keys: { source: '', target: 'target: /t', uid: 'uid: "5"', gid: 'gid: "5"', mode: 'mode: 0400' },
  },
  'services.NAME.ulimits.NAME': {
    base: (entry) => inService(`ulimits: {nofile: {soft: 1, hard: 2, ${entry}}}`),
    keys: { soft: '', hard: '' },
  },
  'services.NAME.env_file[]': {
    base: (entry) => inService(`env_file: [{path: e.env, ${entry}}, {path: gone.env, required: false}]`),
    keys: { path: '', required: 'required: true' },
  },
  'services.NAME.logging': {
    base: (entry) => inService(`logging: {${entry}}`),
    keys: { driver: 'driver: local', options: 'options: {max-size: 1m}' },
  },
  'networks.NAME': {
    base: withNetwork,
    keys: {
      name: 'name: nn',
      driver: 'driver: bridge',
      driver_opts: 'driver_opts: {a: b}',
      ipam: 'ipam: {config: [{subnet: 10.9.0.0/24}]}',
      external: 'external: false',
      internal: 'internal: true',
      enable_ipv4: 'enable_ipv4: true',
      enable_ipv6: 'enable_ipv6: true',
      attachable: 'attachable: true',
      labels: 'labels: {l: 1}',
    },
  },
  'networks.NAME.ipam': {
    base: (entry) => withNetwork(`ipam: {${entry}}`),
    keys: { driver: 'driver: default', config: 'config: [{subnet: 10.9.0.0/24}]' },
  },
  'networks.NAME.ipam.config[]': {
    base: (entry) => withNetwork(`ipam: {config: [{subnet: 10.9.0.0/24, ${entry}}]}`),
    keys: { subnet: '', gateway: 'gateway: 10.9.0.9' },
  },
  'volumes.NAME': {
    base: withVolume,
    keys: {
      name: 'name: vv',
      driver: 'driver: local',
      driver_opts: 'driver_opts: {type: tmpfs, device: tmpfs}',
      external: 'external: false',
      labels: 'labels: {l: 1}',
      'x-subjectd': 'x-subjectd: {size: 64m}',
    },
  },
  'volumes.NAME.x-subjectd': {
    base: (entry) => withVolume(`x-subjectd: {size: 32m, ${entry}}`),
    keys: { size: '', uid: 'uid: 7', gid: 'gid: 7', mode: 'mode: 0700' },
  },
  'configs.NAME': {
    base: withConfig,
    keys: {
      file: 'file: e.env',
      content: 'content: c',
      environment: 'environment: SET',
      name: 'name: n, content: ""',
      labels: 'labels: {l: 1}, content: ""',
      external: 'external: false, content: ""',
    },
  },
  'secrets.NAME': {
    base: withSecret,
    keys: {
      file: 'file: e.env',
      environment: 'environment: SET',
      name: 'name: n, environment: SET',
      labels: 'labels: {l: 1}, environment: SET',
      external: 'external: false, environment: SET',
    },
  },
};
