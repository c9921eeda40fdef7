import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Fault } from '../../src/faults/fault.ts';
import { kinds, Rig, type Snapshot } from './faults-rig.ts';
import { docker, type ProblemReply } from './service.ts';

/** A kind with a node on the host's network, and one beside it. */
function hostKind(): string {
  const folder = mkdtempSync(join(tmpdir(), 'subjectd-kinds-'));
  mkdirSync(join(folder, 'onhost'));
  const node = 'image: subjectd/redis:8\n    entrypoint: [sleep, "600"]';
  writeFileSync(
    join(folder, 'onhost/compose.yaml'),
    `services:\n  a:\n    ${node}\n    network_mode: host\n  b:\n    ${node}\n    mem_limit: 64m\n  c:\n    ${node}\n`,
  );
  writeFileSync(
    join(folder, 'onhost/adapter.mjs'),
    `export const adapter = {
  kind: 'onhost', summary: 'made for a test', nodeTypes: { a: 'node', b: 'node', c: 'node' }, defaultTarget: { type: 'node' }, imageVariables: [], roleNames: [],
  health: async (toolkit) => ({ healthy: toolkit.nodes.every((n) => n.running), nodes: toolkit.nodes.map((n) => ({ name: n.name, health: n.running ? 'up' : 'down', address: n.name + ':1' })), issues: [], details: {} }),
  state: async () => ({ state: {}, missing: [], readable: true }),
  roles: async () => [],
};
`,
  );
  return folder;
}

const target = { node: 'cell0' };

/** A request, the answer's status and code, and a word of the reason. */
const refused: [string, Record<string, unknown>, number, string, RegExp][] = [
  ['a percentage over 100', { chaos_type: 'packet_loss', params: { percent: 101 } }, 400, 'invalid_request', /percent.*<= 100/],
  ['no percentage', { chaos_type: 'packet_loss', params: { percent: 0 } }, 400, 'invalid_request', /percent.*> 0/],
  ['all of the CPU', { chaos_type: 'cpu_pressure', params: { percent: 100 } }, 400, 'invalid_request', /percent.*<= 99/],
  ['a disk fuller than full', { chaos_type: 'disk_pressure', params: { fill_percent: 120 } }, 400, 'invalid_request', /fill_percent/],
  [
    'more nodes than there are',
    { chaos_type: 'node_pause', target: { type: 'cell', count: 4 } },
    422,
    'no_candidate',
    /3 of 4 candidates that were asked for/,
  ],
  ['a rate of nothing', { chaos_type: 'bandwidth', params: { rate_kbit: 0 } }, 400, 'invalid_request', /rate_kbit/],
  ['no rate at all', { chaos_type: 'bandwidth' }, 400, 'invalid_request', /rate_kbit/],
  ['min_ms over max_ms', { chaos_type: 'latency', params: { min_ms: 90, max_ms: 10 } }, 400, 'invalid_request', /greater than max_ms/],
  [
    'both ways to say a delay',
    { chaos_type: 'latency', params: { min_ms: 1, max_ms: 2, delay_ms: 3 } },
    400,
    'invalid_request',
    /not both/,
  ],
  ['a delay of nothing', { chaos_type: 'latency', params: { delay_ms: 0 } }, 400, 'invalid_request', /nothing/],
  ['an unknown parameter', { chaos_type: 'latency', params: { interface: 'eth0' } }, 400, 'invalid_request', /no such parameter/],
  ['an unknown peer', { chaos_type: 'latency', params: { peers: ['cell9'] } }, 400, 'invalid_request', /cell9/],
  ['no peer but itself', { chaos_type: 'latency', target, params: { peers: ['cell0'] } }, 422, 'no_candidate', /itself/],
  [
    'a path on the host’s filesystem',
    { chaos_type: 'disk_pressure', target, params: { path: '/tmp' } },
    400,
    'invalid_request',
    /fill the host/,
  ],
  [
    'a path that climbs out',
    { chaos_type: 'disk_pressure', target, params: { path: '/data/../tmp' } },
    400,
    'invalid_request',
    /fill the host/,
  ],
  [
    'a path that only begins alike',
    { chaos_type: 'disk_pressure', target, params: { path: '/database' } },
    400,
    'invalid_request',
    /fill the host/,
  ],
  [
    'a group of all nodes',
    { chaos_type: 'network_partition', params: { groups: [['cell0', 'cell1', 'cell2'], ['cell0']] } },
    400,
    'invalid_request',
    /every node/,
  ],
  ['one group', { chaos_type: 'network_partition', params: { groups: [['cell0']] } }, 400, 'invalid_request', /groups/],
  [
    'a node in two groups',
    { chaos_type: 'network_partition', params: { groups: [['cell0'], ['cell1', 'cell0']] } },
    400,
    'invalid_request',
    /in two groups/,
  ],
  [
    'an unknown node in a group',
    { chaos_type: 'network_partition', params: { groups: [['cell0'], ['cell7']] } },
    400,
    'invalid_request',
    /cell7/,
  ],
  [
    'a direction among three groups',
    { chaos_type: 'network_partition', params: { groups: [['cell0'], ['cell1'], ['cell2']], direction: 'to' } },
    400,
    'invalid_request',
    /two groups/,
  ],
  [
    'groups and a target',
    { chaos_type: 'network_partition', target, params: { groups: [['cell0'], ['cell1']] } },
    400,
    'invalid_request',
    /target/,
  ],
  ['a time to live of none', { chaos_type: 'none', ttl_ms: 0 }, 400, 'invalid_request', /ttl_ms/],
  ['a time to live over a day', { chaos_type: 'none', ttl_ms: 86_400_001 }, 400, 'invalid_request', /ttl_ms/],
  ['an unknown node', { chaos_type: 'none', target: { node: 'cell9' } }, 400, 'unknown_target', /cell9/],
  [
    'an unknown chaos type',
    { chaos_type: 'earthquake' },
    400,
    'unknown_chaos_type',
    /^Unknown chaos type: earthquake\. Supported: \[none, /,
  ],
];

describe('input that cannot be', () => {
  let rig: Rig;
  let untouched: Snapshot;
  let folder: string;
  before(async () => {
    folder = hostKind();
    rig = await Rig.start('trio', { SUBJECTD_SUBJECTS_DIR: `${kinds}:${folder}` });
    untouched = await rig.snapshot();
  });
  after(async () => {
    await rig.close();
    rmSync(folder, { recursive: true });
  });

  const stored = async (at = rig.at) => (await rig.service.get<{ faults: Fault[] }>(`${at}/faults`)).body.faults;

  test('each is answered with the reason, and nothing is stored or changed', async (t) => {
    for (const [what, body, status, code, reason] of refused) {
      await t.test(what, async () => {
        const answer = await rig.inject(body);
        assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
        assert.match(answer.body.detail, reason);
      });
    }
    assert.deepEqual(await stored(), []);
    assert.deepEqual(await rig.snapshot(), untouched);
  });

  test('a node that does not run, as target, in a group and as peer', async () => {
    const stop = await rig.confirmed({ chaos_type: 'node_stop', target: { node: 'cell1' } });
    const requests: Record<string, unknown>[] = [
      { chaos_type: 'latency', target: { node: 'cell1' } },
      { chaos_type: 'cpu_pressure', target: { node: 'cell1' }, params: { percent: 50 } },
      { chaos_type: 'disk_pressure', target: { node: 'cell1' } },
      { chaos_type: 'memory_pressure', target: { node: 'cell1' }, params: { percent: 50 } },
      { chaos_type: 'network_partition', params: { groups: [['cell0'], ['cell1']] } },
      { chaos_type: 'latency', target, params: { peers: ['cell1'] } },
      { chaos_type: 'packet_loss', target: { type: 'cell', share: 'all' }, params: { percent: 50 } },
    ];
    for (const body of requests) {
      const answer = await rig.inject(body);
      assert.deepEqual([answer.status, answer.body.code], [422, 'no_candidate'], JSON.stringify([body, answer.body]));
      assert.match(answer.body.detail, /run|itself/);
    }
    assert.deepEqual(
      (await stored()).map((f) => f.id),
      [stop.id],
    );
    await rig.healedClean(stop);
  });

  test('a dry run answers plan and undo, and does nothing', async () => {
    const before = (await stored()).length;
    const answer = await rig.inject({ chaos_type: 'network_partition', target, dry_run: true });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { plan, undo } = answer.body as unknown as { plan: { op: string }[]; undo: { op: string }[] };
    assert.deepEqual([plan.map((s) => s.op), undo.map((s) => s.op)], [['net.drop'], ['net.clear']]);
    assert.equal((await stored()).length, before);
    assert.deepEqual(await rig.snapshot(), untouched);
  });

  test('a node on the host’s network is not disturbed, one beside it is', async () => {
    const at = '/v1/subjects/onhost';
    const reset = await rig.service.post(`${at}/reset`);
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
    const rules = () => docker('exec', rig.container('cell0').replace('trio-cell0', 'onhost-a'), 'cat', '/proc/net/dev').split('\n').length;
    const interfaces = rules();
    const requests = [
      { chaos_type: 'latency', target: { node: 'a' } },
      { chaos_type: 'packet_loss', target: { node: 'a' }, params: { percent: 100 } },
      { chaos_type: 'bandwidth', target: { node: 'a' }, params: { rate_kbit: 32 } },
      { chaos_type: 'network_partition', target: { node: 'a' } },
      { chaos_type: 'network_partition', params: { groups: [['a'], ['b']] } },
    ];
    for (const body of requests) {
      const { status, body: problem } = await rig.service.post<ProblemReply>(`${at}/faults`, body);
      assert.deepEqual([status, problem.code], [422, 'no_candidate'], JSON.stringify(problem));
      assert.match(problem.detail, /host’s network/);
    }
    assert.equal(rules(), interfaces);
    assert.deepEqual(await stored(at), []);
    const beside = await rig.service.post<Fault>(`${at}/faults`, { chaos_type: 'latency', target: { node: 'b' } });
    assert.equal(beside.status, 201, JSON.stringify(beside.body));
    const healed = await rig.service.delete<Fault>(`${at}/faults/${beside.body.id}`);
    assert.equal(healed.body.heal?.verdict, 'clean', JSON.stringify(healed.body.heal));
    const full = await rig.service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'disk_pressure', target: { node: 'b' } });
    assert.deepEqual([full.status, full.body.reason], [422, 'no_bounded_volume'], JSON.stringify(full.body));
  });
});
