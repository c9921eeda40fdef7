import { brace, type Case, refuses, withService } from './compose-helpers.ts';

const a = (keys: string, rest = '') => withService(keys, rest);

const cases: Case[] = [
  ['a dependency on nobody', a('depends_on: [b]'), ['4:18 services.a.depends_on[0]: there is no service b; declare it']],
  [
    'a dependency with a typo',
    'services:\n  redis: {image: x}\n  a: {image: x, depends_on: [reddis]}\n',
    ['3:30 services.a.depends_on[0]: there is no service reddis; did you mean redis?'],
  ],
  [
    'a dependency without a condition',
    'services:\n  b: {image: x}\n  a: {image: x, depends_on: {b: {}}}\n',
    ['3:33 services.a.depends_on.b: has no condition'],
  ],
  [
    'a dependency with an unknown condition',
    'services:\n  b: {image: x}\n  a: {image: x, depends_on: {b: {condition: up}}}\n',
    ['3:45 services.a.depends_on.b.condition: "up" is no condition'],
  ],
  [
    'a dependency on itself',
    a('depends_on: [a]'),
    ['4:18 services.a.depends_on[0]: the services wait for each other in a cycle: a → a; remove'],
  ],
  [
    'a cycle',
    'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: {a: {condition: service_healthy}}}\n',
    ['2:30 services.a.depends_on[0]: the services wait for each other in a cycle: a → b → c → a; remove one of these'],
  ],
  [
    'a cycle through a shared network',
    'services:\n  a: {image: x, network_mode: "service:b"}\n  b: {image: x, depends_on: [a]}\n',
    ['2:31 services.a.network_mode: the services wait for each other in a cycle: a → b → a'],
  ],
  [
    'a dependency on an inactive service',
    'services:\n  b: {image: x, profiles: [p]}\n  a: {image: x, depends_on: [b]}\n',
    ['3:30 services.a.depends_on[0]: depends on b, whose profile is not active'],
  ],
  ['only inactive services', 'services: {a: {image: x, profiles: [p]}}', ['1:12 services: no service is active']],
  [
    'two containers of one name',
    'services:\n  a: {image: x}\n  b: {image: x, container_name: prj-a-1}\n',
    ['3:33 services.b.container_name: the container name prj-a-1 is taken by the service a'],
  ],
  [
    'two nodes of one address',
    'services:\n  a: {image: x, networks: {n: {ipv4_address: 10.0.0.5}}}\n  b: {image: x, networks: {n: {ipv4_address: 10.0.0.5}}}\nnetworks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}',
    ['3:6 services.b: the address 10.0.0.5 on the network n is that of the service a'],
  ],
  ['a variable named as what every object has', a('user: $constructor'), ['4:11 services.a.user: the variable constructor is not set']],
  ['an undefined variable', a(`user: ${brace('WHO')}`), ['4:11 services.a.user: the variable WHO is not set and has no default']],
  [
    'an undefined variable late in a text',
    a(`user: "me-${brace('SET')}-${brace('WHO')}"`),
    ['4:22 services.a.user: the variable WHO is not set'],
  ],
  [
    'an undefined variable in a block',
    a('command:\n  - |\n    one\n    two $WHO'),
    ['7:13 services.a.command[0]: the variable WHO is not set'],
  ],
  [
    'an undefined variable in a service without a profile',
    `${a('')}  b: {image: "$WHO", profiles: [p]}\n`,
    ['5:15 services.b.image: the variable WHO'],
  ],
  ['a required variable', a(`user: ${brace('WHO:?name the user')}`), ['4:11 services.a.user: the variable WHO is required: name the user']],
  [
    'a variable in an anchor, once',
    'x-a: &a {user: $WHO}\nservices: {a: {image: x, <<: *a}, b: {image: x, <<: *a}}',
    ['1:16 x-a.user: the variable WHO is not set'],
  ],
  [
    'a refused key of an inactive service',
    `${a('')}  b: {image: x, profiles: [p], links: [a]}\n`,
    ['5:32 services.b.links: links is not supported'],
  ],
];

refuses('for what services need of each other', cases);
