import { type Case, refuses, withService } from './compose-helpers.ts';

const a = (keys: string, rest = '') => withService(keys, rest);

const cases: Case[] = [
  ['a port without a container port', a('ports: ["8080:"]'), ['4:13 services.a.ports[0]: "8080:" is not a port mapping']],
  ['a port above 65535', a('ports: [70000]'), ['4:13 services.a.ports[0]: "70000" is not a container port']],
  ['sctp', a('ports: [80/sctp]'), ['4:13 services.a.ports[0]: the protocol sctp']],
  ['a range for one port', a('ports: ["8000-8005:80"]'), ['4:13 services.a.ports[0]: host ports 8000-8005']],
  ['a long port without target', a('ports: [{published: 80}]'), ['4:13 services.a.ports[0]: names no container port']],
  ['too many exposed ports', a('expose: [1-65535]'), ['4:14 services.a.expose[0]: a range of more than 256 ports']],
  ['an exposed UDP port', a('expose: [53/udp]'), ['4:14 services.a.expose[0]: "53/udp" is not a TCP port']],
  [
    'one host port twice in a service',
    a('ports: ["80:80", "80:81"]'),
    ['4:22 services.a.ports[1]: the host port 80/tcp is published by the service a already'],
  ],
  [
    'one host port twice',
    'services:\n  a: {image: x, ports: ["127.0.0.1:80:80"]}\n  b: {image: x, ports: ["80:80"]}\n',
    ['3:25 services.b.ports[0]: the host port 80/tcp is published by the service a already'],
  ],
  ['an unknown network', a('networks: [front]'), ['4:16 services.a.networks[0]: there is no network front; declare it']],
  [
    'a misspelt network',
    a('networks: {bakc: }', 'networks: {back: }'),
    ['4:16 services.a.networks.bakc: there is no network bakc; did you mean back?'],
  ],
  [
    'an address without a subnet',
    a('networks: {n: {ipv4_address: 10.0.0.5}}', 'networks: {n: }'),
    ['4:34 services.a.networks.n.ipv4_address: 10.0.0.5 is in no subnet'],
  ],
  [
    'an address outside of the subnet',
    a('networks: {n: {ipv4_address: 10.0.1.5}}', 'networks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}'),
    ['4:34 services.a.networks.n.ipv4_address: 10.0.1.5 is in no'],
  ],
  [
    'an IPv6 address as IPv4',
    a('networks: {n: {ipv4_address: "::1"}}', 'networks: {n: }'),
    ['4:34 services.a.networks.n.ipv4_address: "::1" is not an IPv4'],
  ],
  [
    'an external network',
    a('networks: [n]', 'networks: {n: {external: true}}'),
    ['5:26 networks.n.external: true is not supported: false only'],
  ],
  ['an overlay network', a('networks: [n]', 'networks: {n: {driver: overlay}}'), ['5:24 networks.n.driver: the network driver overlay']],
  [
    'a bad subnet',
    a('', 'networks: {n: {ipam: {config: [{subnet: 10.0.0.0/33}]}}}'),
    ['5:41 networks.n.ipam.config[0].subnet: "10.0.0.0/33" is not a subnet'],
  ],
  ['two networks of one name', a('', 'networks: {n: {name: nn}, m: {name: nn}}'), ['5:27 networks.m: the name nn is that of n already']],
  ['network_mode bridge', a('network_mode: bridge'), ['4:19 services.a.network_mode: "bridge" is not supported']],
  ['network_mode with networks', a('network_mode: none\nnetworks: [default]'), ['5:15 services.a.networks: networks cannot stand beside']],
  ['network_mode host with ports', a('network_mode: host\nports: [80]'), ['5:12 services.a.ports: ports cannot stand beside']],
  ['network_mode of itself', a('network_mode: service:a'), ['4:19 services.a.network_mode: a service cannot share its own']],
  ['network_mode of nobody', a('network_mode: service:b'), ['4:19 services.a.network_mode: there is no service b']],
  ['a writable bind', a('volumes: ["./data:/data"]'), ['4:15 services.a.volumes[0]: a writable bind mount cannot be reset']],
  [
    'a writable long bind',
    a('volumes: [{type: bind, source: ., target: /d}]'),
    ['4:36 services.a.volumes[0].source: a writable bind mount'],
  ],
  [
    'a bind with a missing source',
    a('volumes: ["./gone:/data:ro"]'),
    ['4:15 services.a.volumes[0]: there is nothing at /kind/gone to mount'],
  ],
  ['a bind of a socket', a('volumes: ["./engine.sock:/s:ro"]'), ['4:15 services.a.volumes[0]: /kind/engine.sock is a socket']],
  ['a bind from a home', a('volumes: ["~/x:/data:ro"]'), ['4:15 services.a.volumes[0]: ~ depends on who runs']],
  [
    'a volume nobody declared',
    a('volumes: ["data:/data"]'),
    ['4:15 services.a.volumes[0]: there is no volume data; declare it under volumes:'],
  ],
  ['a relative target', a('volumes: ["v:data"]', 'volumes: {v: }'), ['4:15 services.a.volumes[0]: "data" is not a path to mount at']],
  ['the root as a target', a('volumes: ["v:/"]', 'volumes: {v: }'), ['4:15 services.a.volumes[0]: "/" is not a path']],
  ['an unknown mount option', a('volumes: ["v:/v:zz"]', 'volumes: {v: }'), ['4:15 services.a.volumes[0]: the mount option zz']],
  ['too many colons', a('volumes: ["v:/v:ro:x"]', 'volumes: {v: }'), ['4:15 services.a.volumes[0]: "v:/v:ro:x" is not a mount']],
  [
    'two mounts at one path',
    a('volumes: ["v:/v", "/v/"]\ntmpfs: /v', 'volumes: {v: }'),
    ['4:23 services.a.volumes[1]: something else is put at /v already', '5:12 services.a.tmpfs: something else'],
  ],
  ['an unknown mount type', a('volumes: [{type: npipe, target: /p}]'), ['4:22 services.a.volumes[0].type: the mount type npipe']],
  ['a mount without type and target', a('volumes: [{source: v}]', 'volumes: {v: }'), ['4:15 services.a.volumes[0]: has no type']],
  [
    'options of another type',
    a('volumes: [{type: tmpfs, target: /t, volume: {nocopy: true}}]'),
    ['4:49 services.a.volumes[0].volume: volume: says nothing about a mount of type tmpfs'],
  ],
  ['a tmpfs option', a('tmpfs: "/t:uid=5"'), ['4:12 services.a.tmpfs: the tmpfs option uid=5']],
  [
    'a quoted mode',
    a('volumes: [{type: tmpfs, target: /t, tmpfs: {mode: "0755"}}]'),
    ['4:55 services.a.volumes[0].tmpfs.mode: must be permission bits'],
  ],
  [
    'an external volume',
    a('', 'volumes: {v: {external: true}}'),
    ['5:25 volumes.v.external: true is not supported: false only; let this file declare the volume'],
  ],
  ['an old external volume', a('', 'volumes: {v: {external: {name: y}}}'), ['5:25 volumes.v.external: this is not supported']],
  [
    'a volume that binds a folder',
    a('', 'volumes: {v: {driver_opts: {type: none, o: bind, device: /etc}}}'),
    ['5:28 volumes.v.driver_opts: only a tmpfs can be reset'],
  ],
  [
    'a tmpfs volume that binds',
    a('', 'volumes: {v: {driver_opts: {type: tmpfs, device: tmpfs, o: "rw,bind"}}}'),
    ['5:28 volumes.v.driver_opts: only a tmpfs'],
  ],
  [
    'a tmpfs volume of another device',
    a('', 'volumes: {v: {driver_opts: {type: tmpfs, device: /dev/sdb}}}'),
    ['5:28 volumes.v.driver_opts: only a tmpfs'],
  ],
  ['a volume driver', a('', 'volumes: {v: {driver: nfs}}'), ['5:23 volumes.v.driver: the volume driver nfs']],
  ['an unknown config', a('configs: [c]'), ['4:15 services.a.configs[0]: there is no config c']],
  ['an unknown secret', a('secrets: [{source: s}]'), ['4:24 services.a.secrets[0].source: there is no secret s']],
  ['a config without content', a('configs: [c]', 'configs: {c: {}}'), ['5:14 configs.c: must have exactly one of']],
  [
    'a config with two contents',
    a('', 'configs: {c: {content: a, environment: B}}'),
    ['5:14 configs.c: must have exactly one of file:, content:, environment:'],
  ],
  [
    'a config of a missing file',
    a('configs: [c]', 'configs: {c: {file: ./gone}}'),
    ['5:21 configs.c.file: the file /kind/gone does not exist'],
  ],
  [
    'a secret of a variable that is not set',
    a('secrets: [s]', 'secrets: {s: {environment: NOT_SET}}'),
    ['5:28 secrets.s.environment: the variable NOT_SET is not set'],
  ],
  ['an env file that is missing', a('env_file: [gone.env]'), ['4:16 services.a.env_file[0]: the env file /kind/gone.env does not exist']],
];

refuses('for a port, network, volume, config or secret', cases);
