import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { adapter } from '../../subjects/tikv/adapter.ts';

interface Service {
  image: string;
  command: string[];
  ports: string[];
  volumes: string[];
  depends_on?: string[];
  profiles?: string[];
  healthcheck?: unknown;
  restart?: unknown;
}
const folder = new URL('../../subjects/tikv/', import.meta.url);
const text = readFileSync(new URL('compose.yaml', folder), 'utf8');
const file = parse(text) as {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
  volumes: Record<string, null>;
};
const nodes = Object.entries(file.services).filter(([name]) => name in adapter.nodeTypes);
const variable = (name: string, otherwise: string) => `\${${name}:-${otherwise}}`;
const flag = ({ command }: Service, name: string) => command.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);

test('the nodes of the adapter are the services of the file, Prometheus alone being none and under a profile', () => {
  assert.deepEqual(
    nodes.map(([name]) => name),
    Object.keys(adapter.nodeTypes),
  );
  const others = Object.entries(file.services).filter(([name]) => !(name in adapter.nodeTypes));
  assert.deepEqual(
    others.map(([name, { profiles }]) => [name, profiles]),
    [['prometheus', ['monitoring']]],
  );
});

test('each PD advertises its own service name, and all know the same three peers', () => {
  const peers = 'pd0=http://pd0:2380,pd1=http://pd1:2380,pd2=http://pd2:2380';
  for (const [name, service] of nodes.filter(([name]) => adapter.nodeTypes[name] === 'pd')) {
    assert.equal(flag(service, 'name'), name);
    assert.equal(flag(service, 'advertise-client-urls'), `http://${name}:2379`);
    assert.equal(flag(service, 'advertise-peer-urls'), `http://${name}:2380`);
    assert.equal(flag(service, 'client-urls'), 'http://0.0.0.0:2379');
    assert.equal(flag(service, 'peer-urls'), 'http://0.0.0.0:2380');
    assert.equal(flag(service, 'initial-cluster'), peers);
    assert.equal(service.image, variable('PD_IMAGE', 'pingcap/pd:v8.5.5'));
  }
});

test('each TiKV advertises its own service name, asks all three PDs and takes the config', () => {
  for (const [name, service] of nodes.filter(([name]) => adapter.nodeTypes[name] === 'tikv')) {
    assert.equal(flag(service, 'advertise-addr'), `${name}:20160`);
    assert.equal(flag(service, 'advertise-status-addr'), `${name}:20180`);
    assert.equal(flag(service, 'pd-endpoints'), 'pd0:2379,pd1:2379,pd2:2379');
    assert.equal(flag(service, 'config'), '/tikv.toml');
    assert.deepEqual(service.depends_on, ['pd0', 'pd1', 'pd2']);
    assert.equal(service.image, variable('TIKV_IMAGE', 'pingcap/tikv:v8.5.5'));
  }
});

test('each node keeps its data in a volume of its own, where a killed one finds it again', () => {
  for (const [name, service] of nodes) {
    assert.deepEqual(service.volumes, [`${name}:/data`]);
    assert(name in file.volumes);
    assert.match(flag(service, 'data-dir') ?? '', /^\/data\//);
  }
});

test('no node has a health check or a restart policy: nothing in a plain image can check, and a killed node stays dead', () => {
  for (const [, service] of nodes) assert.deepEqual([service.healthcheck, service.restart], [undefined, undefined]);
});

test('every published port is on loopback unless one variable says otherwise, has a variable of its own, and no two have one default', () => {
  const published = Object.values(file.services).flatMap(({ ports }) => ports);
  const parts = published.map((port) => /^\$\{TIKV_BIND:-127\.0\.0\.1\}:\$\{([A-Z0-9_]+):-(\d+)\}:(\d+)$/.exec(port));
  assert(parts.every((part) => part !== null));
  const defaults = parts.map((part) => Number(part?.[2]));
  assert.equal(new Set(defaults).size, defaults.length);
  assert.equal(new Set(parts.map((part) => part?.[1])).size, parts.length);
  for (const port of [2379, 20160, 20180, 9090]) assert(defaults.includes(port));
});

test('the tikv.toml has the sizes for three nodes on one host, and the heartbeat comes from its variable', () => {
  const toml = file.configs.tikv_toml?.content ?? '';
  const keys: Record<string, string> = {};
  let table = '';
  for (const line of toml.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const heading = /^\[(.*)\]$/.exec(line);
    if (heading) table = heading[1] ?? '';
    else keys[`${table}.${line.split(' = ')[0]}`] = line.split(' = ')[1] ?? '';
  }
  assert.deepEqual(keys, {
    'server.graceful-shutdown-timeout': '"1s"',
    'storage.reserve-space': '0',
    'storage.reserve-raft-space': '0',
    'storage.block-cache.capacity': '"256MB"',
    'raftstore.pd-store-heartbeat-tick-interval': `"${variable('TIKV_STORE_HEARTBEAT', '1s')}"`,
    'rocksdb.max-open-files': '4096',
    'raftdb.max-open-files': '4096',
  });
});

test('the README lists every variable of the file with its default, and no other', () => {
  const variables = (source: string, pattern: RegExp) => [...source.matchAll(pattern)].map(([, name, value]) => `${name}=${value}`);
  const used = new Set(variables(text, /\$\{([A-Z0-9_]+):-([^}]*)\}/g));
  const listed = variables(readFileSync(new URL('README.md', folder), 'utf8'), /^\| `([A-Z0-9_]+)` +\| `([^`]*)` +\|/gm);
  assert.deepEqual(listed.sort(), [...used].sort());
  assert.deepEqual(adapter.imageVariables, ['PD_IMAGE', 'TIKV_IMAGE', 'PROMETHEUS_IMAGE']);
});
