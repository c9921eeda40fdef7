import { type Case, refuses, withService } from './compose-helpers.ts';

const a = (keys: string, rest = '') => withService(keys, rest);

const cases: Case[] = [
  ['an empty file', '', ['1:1 : the file is empty; declare']],
  ['a file of comments', '# nothing\n', ['1:1 : the file is empty']],
  ['a text', 'hello', ['1:1 : the file must be a mapping']],
  ['a list', '- a', ['1:1 : the file must be a mapping']],
  ['no services', 'volumes: {}', ['1:1 : the file declares no services']],
  ['empty services', 'services: {}', ['1:11 services: declares no service']],
  ['services without a value', 'services:', ['1:1 services: has no value']],
  ['a list of services', 'services: [a]', ['1:11 services: must be a mapping']],
  ['a service without a value', 'services: {a: }', ['1:15 services.a: must be a mapping']],
  ['a service without an image', 'services: {a: {tty: true}}', ['1:15 services.a: has no image']],
  ['a service name with a space', 'services: {"a b": {image: x}}', ['1:12 services.a b: the name has characters']],
  [
    'an unknown top-level key',
    'service: {a: {image: x}}',
    ['1:1 service: this key is unknown; did you mean services?', '1:1 : the file declares no services'],
  ],
  ['an unknown key', a('enviroment: {A: 1}'), ['4:5 services.a.enviroment: this key is unknown; did you mean environment?']],
  ['a key nobody knows', a('frobnicate: 1'), ['4:5 services.a.frobnicate: this key is not in the Compose format']],
  ['a key of the object prototype', a('constructor: 1'), ['4:5 services.a.constructor: this key is not']],
  ['a duplicate key', a('tty: true\ntty: false'), ['5:5 services.a.tty: the key stands at line 4 already']],
  ['a duplicate service', 'services:\n  a: {image: x}\n  a: {image: y}\n', ['3:3 services.a: the key stands at line 2']],
  ['a key that is a number', a('environment: {1: x}'), ['4:19 services.a.environment: a key must be text; put it in quotes']],
  ['broken YAML', 'services:\n  a: {image: x\n', ['3:1 : not valid YAML']],
  ['a tab as indentation', 'services:\n\ta: 1\n', ['2:1 : not valid YAML: Tabs']],
  ['two documents', 'services: {a: {image: x}}\n---\nservices: {}\n', ['2:1 : a second YAML document']],
  ['!reset', a('ports: !reset []'), ['4:12 services.a.ports: !reset only has a meaning in a file that overrides']],
  ['!override', a('ports: !override [80]'), ['4:12 services.a.ports: !override only']],
  ['a tag of its own', a('user: !me x'), ['4:11 services.a.user: the YAML tag !me']],
  ['binary data', a('user: !!binary aGk='), ['4:11 services.a.user: the YAML tag']],
  ['an unknown alias', a('command: *gone'), ['4:14 services.a.command: no anchor &gone']],
  ['an alias in itself', a('x-a: &a [*a]'), ['4:14 services.a.x-a[0]: the alias *a stands inside its own anchor']],
  ['a merge of a text', a('<<: text'), ['4:9 services.a: only a mapping']],
  ['extends', a('extends: {service: b}'), ['4:5 services.a.extends: extends is not supported: use a YAML anchor']],
  ['build', 'services: {a: {build: .}}', ['1:16 services.a.build: build is not supported: build the image beforehand']],
  ['include', `include: [b.yaml]\n${a('')}`, ['1:1 include: include is not supported']],
];

refuses('for its structure', cases);
